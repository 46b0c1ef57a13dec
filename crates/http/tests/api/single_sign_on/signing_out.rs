//! `/oauth/end-session`: a product signs its person out here, too.

use chrono::TimeDelta;
use serde_json::Value;
use url::form_urlencoded;

use super::{sent_to, signed_in, with_clients};
use crate::support::{Browser, PUBLIC_URL};

const HOME: &str = "https://collection.example.com/";

fn end_session(id_token: &Value, more: &[(&str, &str)]) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", id_token.as_str().unwrap())
        .extend_pairs(more)
        .finish();
    format!("/oauth/end-session?{query}")
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/api/v1/session").await.status == 200
}

#[tokio::test]
async fn a_session_ends_and_the_browser_goes_back() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    // Also long after the ID token has expired.
    test.clock.advance(TimeDelta::hours(3));
    let more = [
        ("post_logout_redirect_uri", HOME),
        ("state", "s 1"),
        ("client_id", "collection"),
    ];
    let copy = ada.clone();
    let answer = ada.get(&end_session(&tokens["id_token"], &more)).await;
    assert_eq!(
        sent_to(&answer),
        (HOME.to_owned(), vec![("state".to_owned(), "s 1".to_owned())])
    );
    assert!(
        !ada.cookies.contains_key("__Host-tenantry_session"),
        "the cookie is gone"
    );
    assert!(!is_signed_in(&mut copy.clone()).await, "and the session with it");
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.ended' and actor = 'collection'")
            .await,
        1
    );
}

#[tokio::test]
async fn without_an_address_the_browser_stays_here() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let answer = ada.get(&end_session(&tokens["id_token"], &[])).await;
    assert_eq!(sent_to(&answer).0, format!("{PUBLIC_URL}/login"));
    assert!(!is_signed_in(&mut ada).await);
}

#[tokio::test]
async fn nobody_is_signed_out_without_a_hint_or_sent_where_nobody_registered() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let id_token = &tokens["id_token"];
    let bent = Value::from(format!("{}x", id_token.as_str().unwrap()));
    for (what, path) in [
        ("no hint", "/oauth/end-session".to_owned()),
        ("an access token", end_session(&tokens["access_token"], &[])),
        ("a bent hint", end_session(&bent, &[])),
        ("another client", end_session(id_token, &[("client_id", "pages")])),
        (
            "another address",
            end_session(id_token, &[("post_logout_redirect_uri", "https://evil.example/")]),
        ),
        (
            "an address for signing in",
            end_session(id_token, &[("post_logout_redirect_uri", super::CALLBACK)]),
        ),
    ] {
        let answer = ada.get(&path).await;
        assert_eq!(answer.status, 400, "{what}");
        assert_eq!(answer.header("location"), "", "{what}");
        assert!(is_signed_in(&mut ada).await, "{what}");
    }
}

#[tokio::test]
async fn another_session_of_the_browser_goes_on() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let mut grace = test.person("grace").await.browser;
    let answer = grace.get(&end_session(&tokens["id_token"], &[])).await;
    assert_eq!(answer.status, 303);
    assert!(is_signed_in(&mut grace).await, "it is not hers that the hint names");
    assert!(!is_signed_in(&mut ada).await);
}
