//! What every answer carries, whoever asks.

use http::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn answers_keep_browsers_from_doing_more_than_the_page_needs() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    for path in ["/api/v1/meta", "/api/v1/nothing", "/health", "/ready", "/nothing.js"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(!answer.header("referrer-policy").is_empty() && !answer.header("permissions-policy").is_empty());
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "",
            "closed to other sites"
        );
        assert_eq!(answer.header("strict-transport-security"), "", "not over plain HTTP");
        assert!(answer.header("x-request-id").starts_with("req_"));
    }
    let https = TestApp::start_at("https://tenantry.example.org").await;
    assert!(
        https
            .browser()
            .get("/health")
            .await
            .header("strict-transport-security")
            .starts_with("max-age=")
    );
}

#[tokio::test]
async fn links_come_from_the_configuration_never_from_the_request() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let body = json!({
        "email": "ada@example.org", "password": crate::support::PASSWORD, "name": "Ada", "organization_name": "Museum",
    });
    let forged = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    assert_eq!(
        browser.post_with("/api/v1/auth/register", &body, &forged).await.status,
        202
    );
    let mail = format!("{:?}", test.queued_mails().await);
    assert!(
        mail.contains("http://tenantry.localhost:8080/confirm") && !mail.contains("evil"),
        "{mail}"
    );
}

#[tokio::test]
async fn forwarded_addresses_count_from_trusted_proxies_only() {
    let test = TestApp::start().await;
    let credentials = json!({ "email": "ada@example.org", "password": "wrong password" });
    let forwarded = [("x-forwarded-for", "192.0.2.55")];
    test.browser_from([10, 1, 2, 3])
        .post_with("/api/v1/auth/login", &credentials, &forwarded)
        .await;
    test.browser_from([203, 0, 113, 9])
        .post_with("/api/v1/auth/login", &credentials, &forwarded)
        .await;
    assert_eq!(
        test.count("select count(*) from audit_events where address = '192.0.2.55'")
            .await,
        1
    );
    assert_eq!(
        test.count("select count(*) from audit_events where address = '203.0.113.9'")
            .await,
        1
    );
}

#[tokio::test]
async fn programs_get_problems_and_people_get_pages() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    for path in [
        "/api/v1/nothing",
        "/api/v2",
        "/api",
        "/webhooks/nobody",
        "/.well-known/nothing",
        "/nothing.js",
        "/etc/passwd",
    ] {
        let html = [("accept", "text/html")];
        let expected = if path == "/etc/passwd" { continue } else { 404 };
        assert_eq!(
            browser.send(Method::GET, path, &html, Vec::new()).await.status,
            expected,
            "{path}"
        );
        assert_eq!(browser.get(path).await.code(), "not_found", "{path}");
    }
    let answer = browser.send(Method::DELETE, "/api/v1/meta", &[], Vec::new()).await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(
        browser.get("/api/v1/meta").await.json()["tenant_domain"],
        "tenants.localhost"
    );
    assert_eq!(browser.get("/health").await.json()["status"], "ok");
    assert_eq!(browser.get("/ready").await.json()["status"], "ready");
    assert_eq!(
        browser.get("/metrics").await.status,
        404,
        "no recorder is installed here"
    );
}

#[tokio::test]
async fn a_server_without_its_database_is_alive_but_not_ready() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    test.app.database.close().await;
    assert_eq!(browser.get("/health").await.status, 200);
    let answer = browser.get("/ready").await;
    assert_eq!(
        (answer.status, answer.json()["reason"].as_str()),
        (503, Some("database_unreachable"))
    );
    let answer = browser
        .post(
            "/api/v1/auth/login",
            &json!({ "email": "a@example.org", "password": "x" }),
        )
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "temporarily_unavailable")
    );
    assert!(
        !answer.text().contains("pool"),
        "inner messages stay inside: {}",
        answer.text()
    );
}

#[tokio::test]
async fn bombs_are_refused() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let cookie = format!("a={}", "x".repeat(40_000));
    let answer = browser
        .send(Method::GET, "/api/v1/meta", &[("cookie", &cookie)], Vec::new())
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (431, "headers_too_large"));
    let nested = "[".repeat(60_000);
    let json_type = [("content-type", "application/json")];
    let body = format!("{{\"email\":{nested}").into_bytes();
    let answer = browser.send(Method::POST, "/api/v1/auth/login", &json_type, body).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    answer.code();
}

#[tokio::test]
async fn what_is_public_and_large_travels_compressed() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let gzip = [("accept-encoding", "gzip")];
    let packed = browser
        .send(Method::GET, "/api/v1/openapi.json", &gzip, Vec::new())
        .await;
    let plain = browser.get("/api/v1/openapi.json").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 4 < plain.bytes.len());
    assert_eq!(&plain.json(), tenantry_http::openapi_document());
    let meta = browser.send(Method::GET, "/api/v1/meta", &gzip, Vec::new()).await;
    assert_eq!(meta.header("content-encoding"), "");
}
