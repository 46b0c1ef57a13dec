//! Headers, cookies and documents without end.

use http::Method;

use crate::support::{TestApp, Wire};

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
async fn a_thousand_cookies_are_no_session_and_too_many_are_refused() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let ours = &ada.browser.cookies["__Host-tenantry_session"];
    let some: Vec<String> = (0..1000).map(|n| format!("c{n}=x")).collect();
    let beside = format!("{}; __Host-tenantry_session={ours}", some.join("; "));
    let answer = test
        .browser()
        .send(Method::GET, "/api/v1/session", &[("cookie", &beside)], Vec::new())
        .await;
    assert_eq!(answer.status, 200, "other cookies of this host do not matter");
    let many = vec![some.join("; "); 5].join("; ");
    let answer = test
        .browser()
        .send(Method::GET, "/api/v1/session", &[("cookie", &many)], Vec::new())
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (431, "headers_too_large"));
}

/// Over a connection, where the limits of the parser count as well.
#[tokio::test]
async fn headers_without_end_are_refused_and_the_server_goes_on() {
    let test = TestApp::start().await;
    let wire = Wire::of(&test).await;
    for (what, headers) in [
        ("many", (0..5_000).map(|n| format!("x-{n}: y\r\n")).collect::<String>()),
        ("one of a name", "x-a: y\r\n".repeat(5_000)),
        ("a long value", format!("x-a: {}\r\n", "y".repeat(100_000))),
        ("a long name", format!("{}: y\r\n", "x".repeat(100_000))),
        ("a long cookie", format!("cookie: {}\r\n", "a=b; ".repeat(20_000))),
    ] {
        let answer = wire.get("/api/v1/meta", &headers).await;
        assert!(matches!(answer.status(), 431 | 400 | 0), "{what}: {answer:?}");
        assert_eq!(wire.get("/api/v1/meta", "").await.status(), 200, "after {what}");
    }
}
