//! What pages of other sites may ask: nothing, unless the installation names their origin, and then nothing by cookie.

use http::{HeaderValue, Method};
use serde_json::json;
use tenantry_http::{CorsOrigins, HttpSettings};

use crate::{
    support::{Answer, Browser, PUBLIC_URL, TestApp},
    tokens::{access_token, first_tokens, program},
};

const LISTED: &str = "https://app.example.com";
const UNLISTED: &str = "https://evil.example";
const ORGANIZATIONS: &str = "/api/v1/organizations";

/// Somebody who reaches a server that lets pages of [`LISTED`] call.
fn opened(test: &TestApp) -> Browser {
    let settings = HttpSettings {
        cors_origins: CorsOrigins::parse([LISTED, "http://localhost:5173"]).unwrap(),
        ..HttpSettings::default()
    };
    test.at_listener(settings, PUBLIC_URL)
}

#[track_caller]
fn assert_varies(answer: &Answer, what: &str) {
    let varies: Vec<_> = answer.headers.get_all("vary").iter().collect();
    assert!(
        varies.contains(&&HeaderValue::from_static("Origin")),
        "{what}: {varies:?}"
    );
}

async fn ask_beforehand(browser: &mut Browser, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    browser.send(Method::OPTIONS, path, &headers, Vec::new()).await
}

#[track_caller]
fn assert_closed(answer: &Answer, what: &str) {
    let opened: Vec<_> = answer
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .collect();
    assert!(opened.is_empty(), "{what}: {opened:?}");
}

#[track_caller]
fn assert_open(answer: &Answer, origin: &str, what: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin, "{what}");
    assert_varies(answer, what);
    assert!(
        !answer.headers.contains_key("access-control-allow-credentials"),
        "{what}: no cookies"
    );
}

#[tokio::test]
async fn other_sites_may_ask_for_nothing() {
    let test = TestApp::start().await;
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-csrf-token"),
    ];
    for path in [
        "/api/v1/auth/login",
        "/api/v1/session",
        "/api/v1/organizations",
        "/api/v1/operator/users",
    ] {
        let answer = test.browser().send(Method::OPTIONS, path, &preflight, Vec::new()).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_closed(&answer, path);
    }
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_call_with_a_token() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let authorization = format!("Bearer {}", access_token(&pair));
    let mut page = opened(&test);

    let before = ask_beforehand(&mut page, ORGANIZATIONS, LISTED).await;
    assert_eq!((before.status, before.bytes.len()), (204, 0));
    assert_open(&before, LISTED, "preflight");
    assert_eq!(
        before.header("access-control-allow-methods"),
        "GET, POST, PUT, PATCH, DELETE"
    );
    let allowed = before.header("access-control-allow-headers");
    for name in ["Authorization", "Content-Type", "Idempotency-Key"] {
        assert!(allowed.contains(name), "{name}: {allowed}");
    }
    assert_eq!(before.header("access-control-max-age"), "600");

    let with_token = [("origin", LISTED), ("authorization", authorization.as_str())];
    let made = page
        .post_with(ORGANIZATIONS, &json!({ "name": "Made by a page" }), &with_token)
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_open(&made, LISTED, "an answer");
    let exposed = made.header("access-control-expose-headers");
    for name in [
        "Location",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "Retry-After",
        "X-Request-Id",
    ] {
        assert!(exposed.contains(name), "{name}: {exposed}");
    }
    let read = page.send(Method::GET, ORGANIZATIONS, &with_token, Vec::new()).await;
    assert_eq!(read.status, 200, "{}", read.text());
    assert_open(&read, LISTED, "a list");

    let local = [("origin", "http://localhost:5173")];
    for path in [ORGANIZATIONS, "/api/v1/nothing"] {
        let refused = page.send(Method::GET, path, &local, Vec::new()).await;
        assert!(!refused.code().is_empty());
        assert_open(&refused, "http://localhost:5173", path);
    }
}

#[tokio::test]
async fn others_learn_nothing_where_one_origin_is_listed() {
    let test = TestApp::start().await;
    let mut page = opened(&test);
    for origin in [
        UNLISTED,
        "null",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://app.example.co",
        "HTTPS://APP.EXAMPLE.COM",
    ] {
        let before = ask_beforehand(&mut page, ORGANIZATIONS, origin).await;
        assert_eq!(before.status, 405, "{origin}");
        assert_closed(&before, origin);
        let answer = page
            .send(Method::GET, "/api/v1/meta", &[("origin", origin)], Vec::new())
            .await;
        assert_eq!(answer.status, 200);
        assert_closed(&answer, origin);
        assert_varies(&answer, "a cache keeps this from the listed page");
    }
    let answer = page.get("/api/v1/meta").await;
    assert_closed(&answer, "no origin");
    assert_varies(&answer, "no origin");
}

#[tokio::test]
async fn operators_and_what_is_no_api_stay_closed_to_a_listed_origin() {
    let test = TestApp::start().await;
    let mut page = opened(&test);
    for path in [
        "/api/v1/operator/users",
        "/api/v1/operator/auth/login",
        "/webhooks/stripe",
    ] {
        let before = ask_beforehand(&mut page, path, LISTED).await;
        assert_eq!(before.status, 405, "{path}");
        assert_closed(&before, path);
    }
    for path in ["/api/v1/operator/overview", "/health", "/docs"] {
        let answer = page.send(Method::GET, path, &[("origin", LISTED)], Vec::new()).await;
        assert_closed(&answer, path);
    }
    // Open to everybody before, and as before.
    let before = ask_beforehand(&mut page, "/oauth/token", LISTED).await;
    assert_eq!(before.header("access-control-allow-origin"), "*");
    assert_eq!(before.header("access-control-max-age"), "7200");
}

#[tokio::test]
async fn a_listed_origin_does_nothing_by_cookie() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let mut page = opened(&test);
    page.cookies.clone_from(&ada.browser.cookies);
    page.csrf_token.clone_from(&ada.browser.csrf_token);
    let body = json!({ "name": "Made behind her back" });
    let from_elsewhere = [("origin", LISTED)];
    let refused = page.post_with(ORGANIZATIONS, &body, &from_elsewhere).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "origin_not_allowed"),
        "with the right token, too"
    );
    assert_open(&refused, LISTED, "it may read that it was refused");
    let credentials = json!({ "email": ada.email, "password": crate::support::PASSWORD });
    let refused = page
        .post_with("/api/v1/auth/login", &credentials, &from_elsewhere)
        .await;
    assert_eq!(refused.code(), "origin_not_allowed");
    assert_eq!(
        page.post(ORGANIZATIONS, &body).await.status,
        201,
        "our own page goes on as before"
    );
}
