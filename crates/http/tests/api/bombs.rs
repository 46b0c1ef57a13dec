//! Headers, cookies and documents without end.

use std::net::SocketAddr;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::TestApp;

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
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = test.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let ask = async |headers: String| {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /api/v1/meta HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        // The server may answer and hang up before it has read everything.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    for (what, headers) in [
        ("many", (0..5_000).map(|n| format!("x-{n}: y\r\n")).collect::<String>()),
        ("one of a name", "x-a: y\r\n".repeat(5_000)),
        ("a long value", format!("x-a: {}\r\n", "y".repeat(100_000))),
        ("a long name", format!("{}: y\r\n", "x".repeat(100_000))),
        ("a long cookie", format!("cookie: {}\r\n", "a=b; ".repeat(20_000))),
    ] {
        let answer = ask(headers).await;
        assert!(
            ["HTTP/1.1 431", "HTTP/1.1 400", ""]
                .iter()
                .any(|start| answer.starts_with(start)),
            "{what}: {answer}"
        );
        assert!(ask(String::new()).await.starts_with("HTTP/1.1 200"), "after {what}");
    }
}
