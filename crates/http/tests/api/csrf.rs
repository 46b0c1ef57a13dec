//! Calls that change something must come from our own page.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_call_needs_the_sessions_token_and_our_origin() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await.browser;
    let grace = test.person("grace").await.browser;
    let body = json!({ "name": "Another museum" });

    let mut without_token = ada.clone();
    without_token.csrf_token = None;
    assert_eq!(
        without_token.post("/api/v1/organizations", &body).await.code(),
        "csrf_token_invalid"
    );
    let mut with_anothers_token = ada.clone();
    with_anothers_token.csrf_token = grace.csrf_token.clone();
    assert_eq!(
        with_anothers_token.post("/api/v1/organizations", &body).await.code(),
        "csrf_token_invalid"
    );

    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("http://tenantry.localhost"),
        Some("https://tenantry.localhost:8080"),
        Some("http://tenantry.localhost:8080.evil.example"),
        Some("http://museum.tenants.localhost:8080"),
    ] {
        let mut elsewhere = ada.clone();
        elsewhere.origin = origin.map(str::to_owned);
        let answer = elsewhere.post("/api/v1/organizations", &body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "origin_not_allowed"),
            "{origin:?}"
        );
    }
    assert_eq!(ada.clone().post("/api/v1/organizations", &body).await.status, 201);
    assert_eq!(test.count("select count(*) from organizations").await, 3);
}

#[tokio::test]
async fn nobody_is_signed_in_from_another_site() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    let credentials = json!({ "email": person.email, "password": crate::support::PASSWORD });
    let mut elsewhere = test.browser();
    elsewhere.origin = Some("https://evil.example".to_owned());
    let answer = elsewhere.post("/api/v1/auth/login", &credentials).await;
    assert_eq!(answer.code(), "origin_not_allowed");
    assert!(elsewhere.cookies.is_empty());
    let mut program = test.browser();
    program.origin = None;
    assert_eq!(
        program.post("/api/v1/auth/login", &credentials).await.status,
        200,
        "programs send no origin"
    );
}

#[tokio::test]
async fn a_cookie_tossed_in_beside_ours_makes_none() {
    let test = TestApp::start().await;
    let browser = test.person("ada").await.browser;
    let ours = &browser.cookies["__Host-tenantry_session"];
    let both = format!(
        "__Host-tenantry_session={}; __Host-tenantry_session={ours}",
        "C".repeat(43)
    );
    let mut tossed = test.browser();
    let answer = tossed
        .send(http::Method::GET, "/api/v1/session", &[("cookie", &both)], Vec::new())
        .await;
    assert_eq!(answer.code(), "unauthenticated");
}
