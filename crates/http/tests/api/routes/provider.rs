//! The addresses where OpenID Connect's rules hold, against requests that they must refuse: in the form that those rules
//! demand, whoever asks. Each answer is held against the description, as everywhere.

use http::Method;

use super::{
    send_with,
    table::{Route, Takes, openid_routes},
};
use crate::support::{Answer, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// A refusal that a product's library or a person understands, and nobody is sent anywhere.
#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert!(matches!(answer.status, 400 | 401), "{what}: {}", answer.text());
    assert_eq!(answer.header("location"), "", "{what}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    if answer.header("content-type").starts_with("text/html") {
        assert!(answer.text().contains("<h1>"), "{what}");
        return;
    }
    let body = answer.json();
    for member in ["error", "error_description"] {
        let text = body[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{what}: {body}");
        // RFC 6749, section 5.2.
        assert!(
            text.bytes()
                .all(|letter| matches!(letter, b' '..=b'~') && letter != b'"' && letter != b'\\'),
            "{what}: {text}"
        );
    }
}

fn takes_parameters(route: &Route) -> bool {
    !route.path.starts_with("/.well-known/")
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let test = TestApp::start().await;
    let mut tried = 0;
    for route in openid_routes() {
        let Takes::Form = route.takes else { continue };
        let large = vec![b'a'; 64 * 1024 + 1];
        for (what, content_type, body) in [
            ("nothing", FORM, b"".as_slice()),
            ("JSON", "application/json", b"{}"),
            ("no type", "", b"client_id=collection"),
            ("another type", "text/plain", b"client_id=collection"),
            ("too much", FORM, &large),
            (
                "bytes that are no text",
                FORM,
                b"client_id=%ff%fe&redirect_uri=%00&code=%",
            ),
            (
                "a name twice",
                FORM,
                b"client_id=collection&client_id=pages&grant_type=a&grant_type=b",
            ),
        ] {
            let headers = [("content-type", content_type)];
            let mut browser = test.browser();
            let answer = send_with(&mut browser, &route, route.path, &headers, body).await;
            assert_refused(&answer, &format!("{} with {what}", route.id));
        }
        tried += 1;
    }
    assert_eq!(tried, 4);
}

#[tokio::test]
async fn queries_that_nobody_can_believe_are_refused() {
    let test = TestApp::start().await;
    for route in openid_routes() {
        if route.acts() || !takes_parameters(&route) {
            continue;
        }
        for query in [
            "",
            "?client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example%2F",
            "?client_id=%00&redirect_uri=%ff&id_token_hint=%00",
            "?id_token_hint=a.b.c&id_token_hint=a.b.c",
            "?client_id=collection&redirect_uri=%0d%0alocation%3A+https%3A%2F%2Fevil.example",
        ] {
            let address = format!("{}{query}", route.path);
            let answer = send_with(&mut test.browser(), &route, &address, &[], b"").await;
            assert_refused(&answer, &address);
        }
    }
}

#[tokio::test]
async fn who_shows_nothing_that_is_good_is_refused() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    for route in openid_routes() {
        if route.operation["security"].is_null() {
            continue;
        }
        for authorization in [
            "",
            "Bearer",
            "Bearer x",
            "Bearer eyJhbGciOiJub25lIn0.e30.",
            "Basic",
            "Basic %%%",
            "Basic Y29sbGVjdGlvbjp3cm9uZw==",
            "Digest x",
        ] {
            let headers = [("authorization", authorization), ("content-type", FORM)];
            // A session of the API opens nothing here.
            let mut browser = ada.browser.clone();
            let answer = send_with(&mut browser, &route, route.path, &headers, b"").await;
            let what = format!("{} {} with {authorization:?}", route.method, route.path);
            assert_refused(&answer, &what);
            assert_eq!(answer.status, 401, "{what}");
            assert_ne!(answer.header("www-authenticate"), "", "{what}");
        }
    }
}

#[tokio::test]
async fn methods_that_mean_nothing_are_not_allowed() {
    let test = TestApp::start().await;
    let routes = openid_routes();
    for route in &routes {
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = test.browser().send(method, route.path, &[], Vec::new()).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (405, "method_not_allowed"),
                "{}",
                route.path
            );
            for other in routes.iter().filter(|other| other.path == route.path) {
                assert!(answer.header("allow").contains(other.method.as_str()), "{}", route.path);
            }
        }
    }
}
