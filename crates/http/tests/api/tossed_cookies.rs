//! Cookies that a tenant's page tosses at us. Tenants live under another registrable domain, browsers take `__Host-`
//! cookies from nobody but us, and here stands what we do with such a request nevertheless.

use http::Method;
use serde_json::json;

use crate::support::{Answer, Browser, TestApp, Wire};

const SESSION: &str = "__Host-tenantry_session";

/// What the session's own page asks, with a `Cookie` header of a test's making.
async fn session_with(browser: &mut Browser, cookie: &str) -> Answer {
    browser
        .send(Method::GET, "/api/v1/session", &[("cookie", cookie)], Vec::new())
        .await
}

#[tokio::test]
async fn of_two_sessions_in_one_request_neither_counts() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await.browser.cookies[SESSION].clone();
    let mallory = test.person("mallory").await.browser.cookies[SESSION].clone();
    let wire = Wire::of(&test).await;
    for headers in [
        format!("cookie: {SESSION}={mallory}; {SESSION}={ada}\r\n"),
        format!("cookie: {SESSION}={ada}; {SESSION}={mallory}\r\n"),
        format!("cookie: {SESSION}={mallory}\r\ncookie: {SESSION}={ada}\r\n"),
        format!("cookie: {SESSION}={ada}\r\ncookie: theme=dark; {SESSION}={mallory}\r\n"),
        format!("cookie: {SESSION}={ada};{SESSION}=\r\n"),
        // Twice the same one is no sign of a browser that knows what it does.
        format!("cookie: {SESSION}={ada}; {SESSION}={ada}\r\n"),
    ] {
        let answer = wire.get("/api/v1/session", &headers).await;
        assert_eq!(answer.status(), 401, "{headers}{answer:?}");
        assert!(answer.contains("unauthenticated"), "{answer:?}");
    }
    let alone = wire
        .get("/api/v1/session", &format!("cookie: {SESSION}={ada}\r\n"))
        .await;
    assert_eq!(alone.status(), 200, "{alone:?}");
    assert!(alone.contains("ada@example.org"), "{alone:?}");
}

#[tokio::test]
async fn a_cookie_without_our_prefix_is_no_session() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await.browser.cookies[SESSION].clone();
    let mallory = test.person("mallory").await.browser.cookies[SESSION].clone();
    let mut browser = test.browser();
    for tossed in [
        // What a page below a shared domain could set with `Domain`.
        format!("tenantry_session={mallory}"),
        format!("__Secure-tenantry_session={mallory}"),
        // What browsers took for another name, and servers for ours.
        format!("__host-tenantry_session={mallory}"),
        format!("__HOST-TENANTRY_SESSION={mallory}"),
        format!("__Host-tenantry_session ={mallory}"),
        format!("%5F%5FHost-tenantry_session={mallory}"),
        format!("={SESSION}={mallory}"),
        format!("$Version=1; x=\"{SESSION}={mallory}\""),
        SESSION.to_owned(),
        format!("{SESSION}[]={mallory}"),
    ] {
        assert_eq!(
            session_with(&mut browser, &tossed).await.code(),
            "unauthenticated",
            "{tossed}"
        );
        for both in [
            format!("{tossed}; {SESSION}={ada}"),
            format!("{SESSION}={ada}; {tossed}"),
        ] {
            let answer = session_with(&mut browser, &both).await;
            assert_eq!(answer.status, 200, "{both}: {}", answer.text());
            assert_eq!(answer.json()["user"]["email"], "ada@example.org", "{both}");
        }
    }
}

#[tokio::test]
async fn a_header_full_of_cookies_is_refused_and_opens_nothing() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let mallory = test.person("mallory").await.browser.cookies[SESSION].clone();
    // As many and as long as a browser keeps for one host: they would push the real one out of the header.
    let jar = vec![format!("x={}", "y".repeat(4_000)); 12].join("; ");
    let wire = Wire::of(&test).await;
    for headers in [
        format!("cookie: {SESSION}={mallory}; {jar}\r\n"),
        format!("cookie: {jar}; {SESSION}={mallory}\r\n"),
        format!(
            "cookie: {SESSION}={mallory}\r\n{}",
            format!("cookie: {}\r\n", "y".repeat(4_000)).repeat(12)
        ),
    ] {
        let answer = wire.get("/api/v1/session", &headers).await;
        assert_eq!(answer.status(), 431, "{answer:?}");
        assert!(
            !answer.contains("mallory") && !answer.contains("set-cookie"),
            "{answer:?}"
        );
    }
    // Whoever was aimed at is still who they were.
    assert_eq!(
        ada.get("/api/v1/session").await.json()["user"]["email"],
        "ada@example.org"
    );
}

#[tokio::test]
async fn neither_a_browsers_mark_nor_a_sign_ups_is_taken_from_two() {
    let test = TestApp::start().await;
    let mut ada = test.browser();
    test.register(&mut ada, "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    let mut mallory = test.browser();
    test.register(&mut mallory, "mallory@example.org").await;
    let look = async |cookie: &str| {
        let json_type = [("content-type", "application/json"), ("cookie", cookie)];
        let body = json!({ "token": token }).to_string().into_bytes();
        let path = "/api/v1/auth/verify-email/link";
        let answer = test.browser().send(Method::POST, path, &json_type, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["asks_for_password"].clone()
    };
    let [own, tossed] =
        [&ada, &mallory].map(|browser| format!("__Host-tenantry_signup={}", browser.cookies["__Host-tenantry_signup"]));
    assert_eq!(look(&own).await, false);
    assert_eq!(look(&tossed).await, true);
    assert_eq!(look(&format!("{tossed}; {own}")).await, true);
    assert_eq!(look(&format!("{own}; {tossed}")).await, true);

    // A browser that is known is one whose mark is its own alone: with a second one, its failures count as a stranger's.
    let confirmed = test.confirm(&mut ada, &token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let device = format!("__Host-tenantry_device={}", ada.cookies["__Host-tenantry_device"]);
    let login = async |cookie: &str| {
        let headers = [("content-type", "application/json"), ("cookie", cookie)];
        let body = json!({ "email": "ada@example.org", "password": crate::support::PASSWORD }).to_string();
        let answer = test
            .browser()
            .send(Method::POST, "/api/v1/auth/login", &headers, body.into_bytes())
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookies = answer.headers.get_all("set-cookie").iter();
        let renewed = cookies
            .filter_map(|line| line.to_str().ok())
            .find(|line| line.starts_with("__Host-tenantry_device="));
        renewed.unwrap_or_default().split(';').next().unwrap().to_owned()
    };
    assert_eq!(login(&device).await, device, "known");
    let tossed = format!("__Host-tenantry_device={}", "C".repeat(43));
    let renewed = login(&format!("{tossed}; {device}")).await;
    assert!(renewed != device && renewed != tossed, "{renewed}");
}
