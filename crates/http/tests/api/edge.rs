//! What every answer carries, whoever asks.

use std::net::IpAddr;

use http::Method;
use serde_json::json;
use tenantry_app::audit::find_personal;
use tenantry_domain::ids::AuditEventId;
use tenantry_http::HttpSettings;

use crate::support::TestApp;

#[tokio::test]
async fn answers_keep_browsers_from_doing_more_than_the_page_needs() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    for path in ["/api/v1/meta", "/api/v1/nothing", "/health", "/ready", "/nothing.js"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            [
                "default-src 'none';",
                "script-src 'self';",
                "style-src 'self';",
                "base-uri 'none';",
                "frame-ancestors 'none'"
            ]
            .iter()
            .all(|directive| policy.contains(directive)),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
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
    let mut addresses = addresses_of(&test, "session.refused").await;
    addresses.sort();
    let expected: [IpAddr; 2] = ["192.0.2.55".parse().unwrap(), "203.0.113.9".parse().unwrap()];
    assert_eq!(addresses, expected);
}

/// Where acts came from, as whoever has the keys reads it.
async fn addresses_of(test: &TestApp, action: &str) -> Vec<IpAddr> {
    let mut tx = test.app.database.system("a test reads the log").await.unwrap();
    let events: Vec<uuid::Uuid> = sqlx::query_scalar("select id from audit_events where action = $1")
        .bind(action)
        .fetch_all(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut addresses = Vec::new();
    for event in events {
        let personal = find_personal(&test.app, AuditEventId::from_uuid(event)).await.unwrap();
        addresses.extend(personal.map(|personal| personal.address));
    }
    addresses
}

#[tokio::test]
async fn the_log_keeps_addresses_sealed_and_loses_them_with_the_persons_key() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let started = addresses_of(&test, "session.started").await;
    assert_eq!(started.len(), 1);
    let text = started[0].to_string();
    let clear: i64 = {
        let mut tx = test.app.database.system("a test reads the log").await.unwrap();
        sqlx::query_scalar(
            "select count(*) from audit_events \
             where audit_events::text like '%' || $1 || '%' or position($1::bytea in sealed_personal) > 0",
        )
        .bind(&text)
        .fetch_one(&mut tx)
        .await
        .unwrap()
    };
    assert_eq!(clear, 0);

    // Erasing the person.
    test.execute("delete from personal_keys where user_id in (select id from users)")
        .await;
    assert_eq!(addresses_of(&test, "session.started").await, Vec::<IpAddr>::new());
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.started'")
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

#[tokio::test]
async fn a_role_that_cannot_log_in_makes_the_server_not_ready() {
    for (role, revoke) in [
        (
            "tenantry_app",
            "do $$ begin
                 execute format('grant connect on database %I to tenantry_system', current_database());
                 execute format('revoke connect on database %I from public, tenantry_app', current_database());
                 perform pg_terminate_backend(pid) from pg_stat_activity
                     where datname = current_database() and usename = 'tenantry_app';
             end $$",
        ),
        (
            "tenantry_system",
            "do $$ begin
                 execute format('grant connect on database %I to tenantry_app', current_database());
                 execute format('revoke connect on database %I from public, tenantry_system', current_database());
                 perform pg_terminate_backend(pid) from pg_stat_activity
                     where datname = current_database() and usename = 'tenantry_system';
             end $$",
        ),
    ] {
        let test = TestApp::start().await;
        let mut browser = test.browser();
        assert_eq!(browser.get("/ready").await.status, 200);
        test.as_superuser(revoke).await;
        assert_eq!(browser.get("/ready").await.status, 503, "{role}");
    }
}

#[tokio::test]
async fn documents_are_read_strictly() {
    let test = TestApp::start().await;
    let deep = format!(
        "{{\"email\":\"a@example.org\",\"password\":\"x\",\"more\":{}{}}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    for (what, body, status, code) in [
        (
            "a member twice",
            br#"{"email":"a@example.org","email":"b@example.org","password":"x"}"#.to_vec(),
            422,
            "validation_failed",
        ),
        ("deep nesting", deep.into_bytes(), 400, "malformed_json"),
        (
            "bytes that are no UTF-8",
            b"{\"email\":\"\xff\xfe@example.org\",\"password\":\"x\"}".to_vec(),
            400,
            "malformed_json",
        ),
        (
            "half of a surrogate",
            br#"{"email":"\ud800@example.org","password":"x"}"#.to_vec(),
            400,
            "malformed_json",
        ),
        (
            "a number without end",
            format!("{{\"email\":{}}}", "9".repeat(50_000)).into_bytes(),
            400,
            "malformed_json",
        ),
        (
            "a mark of byte order",
            b"\xef\xbb\xbf{}".to_vec(),
            400,
            "malformed_json",
        ),
    ] {
        let json = [("content-type", "application/json")];
        let answer = test
            .browser()
            .send(Method::POST, "/api/v1/auth/login", &json, body)
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{what}: {}",
            answer.text()
        );
    }
    for kind in [
        "",
        "text/json",
        "application/json2",
        "application/jsonp",
        "multipart/form-data; boundary=x",
    ] {
        let answer = test
            .browser()
            .send(
                Method::POST,
                "/api/v1/auth/login",
                &[("content-type", kind)],
                b"{}".to_vec(),
            )
            .await;
        assert_eq!(answer.code(), "unsupported_media_type", "{kind:?}");
    }
}

#[tokio::test]
async fn what_a_request_holds_makes_no_header_of_the_answer() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    for path in [
        "/api/v1/organizations/a%0d%0aset-cookie:%20x=1",
        "/api/v1/organizations?search=%0d%0aset-cookie:%20x=1&cursor=%0d%0a",
        "/api/v1/organizations?limit=%0d%0aset-cookie:x",
        "/nothing%0d%0aset-cookie:%20x=1",
        "/docs%00",
    ] {
        let answer = ada.browser.clone().get(path).await;
        assert!(
            (400..500).contains(&answer.status) || answer.status == 200,
            "{path}: {}",
            answer.status
        );
        assert_eq!(answer.header("set-cookie"), "", "{path}");
        assert!(
            answer.headers.values().all(|value| !value.as_bytes().contains(&b'\n')),
            "{path}"
        );
    }
    let forged = [
        ("x-request-id", "req_forged"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let answer = test
        .browser()
        .send(Method::GET, "/api/v1/meta", &forged, Vec::new())
        .await;
    assert!(answer.header("x-request-id").starts_with("req_") && answer.header("x-request-id") != "req_forged");
}

#[tokio::test]
async fn a_browser_cannot_write_lines_into_the_log() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    let login = json!({ "email": person.email, "password": crate::support::PASSWORD });
    let agent = [("user-agent", "Mozilla/5.0\t[31mforged\tline")];
    let mut browser = test.browser();
    assert_eq!(
        browser.post_with("/api/v1/auth/login", &login, &agent).await.status,
        200
    );
    assert_eq!(
        test.count("select count(*) from sessions where device ~ '[[:cntrl:]]'")
            .await,
        0,
        "what is kept and shown holds no control character"
    );
    let long = "x".repeat(20_000);
    let agent = [("user-agent", long.as_str())];
    assert_eq!(
        test.browser()
            .post_with("/api/v1/auth/login", &login, &agent)
            .await
            .status,
        200
    );
    assert_eq!(
        test.count("select max(length(device))::bigint from sessions").await,
        500
    );
}

#[tokio::test]
async fn operators_can_have_a_listener_of_their_own() {
    const OPERATORS: &str = "https://operators.example.com";
    const LOGIN: &str = "/api/v1/operator/auth/login";
    const TENANT: &str = "/api/v1/operator/tenants/ten_01jd3r8v6yf3qb5c1zk3s9x0aa";
    let test = TestApp::start().await;
    let ours = || HttpSettings {
        origin: Some(OPERATORS.parse().unwrap()),
        ..HttpSettings::default()
    };
    let theirs = HttpSettings {
        without_operators: true,
        ..HttpSettings::default()
    };
    let credentials = json!({ "email": "operator@example.com", "password": "not the one of anybody" });

    let mut customer = test.at_listener(theirs, &test.app.settings.public_url.origin().ascii_serialization());
    assert_eq!(customer.get(TENANT).await.code(), "not_found");
    assert_eq!(customer.get("/api/v1/meta").await.status, 200);

    let mut operator = test.at_listener(ours(), OPERATORS);
    assert_eq!(operator.get(TENANT).await.code(), "unauthenticated");
    assert_eq!(operator.post(LOGIN, &credentials).await.code(), "invalid_credentials");
    let mut stranger = test.at_listener(ours(), &test.app.settings.public_url.origin().ascii_serialization());
    assert_eq!(stranger.post(LOGIN, &credentials).await.code(), "origin_not_allowed");
}
