//! `/oauth/end-session`: a product signs its person out here, too.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenantry_domain::accounts::session::USER_SESSIONS;
use url::form_urlencoded;

use super::{post_form, sent_to, signed_in, with_clients};
use crate::support::{Answer, Browser, PUBLIC_URL, TestApp};

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
        assert_is_page(&answer, 400);
        assert_eq!(answer.header("location"), "", "{what}");
        assert!(is_signed_in(&mut ada).await, "{what}");
    }
}

/// A page of ours, under a policy that lets its style in and nothing else.
#[track_caller]
fn assert_is_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"));
    let policy = answer.header("content-security-policy");
    let page = answer.text();
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = format!("style-src 'sha256-{}'", STANDARD.encode(Sha256::digest(style)));
    assert!(policy.contains(&hash), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.contains(" style=") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn by_a_form_the_token_stays_out_of_addresses() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    // From another site browsers send no cookie along with a form.
    let mut elsewhere = test.browser();
    elsewhere.origin = Some("https://collection.example.com".to_owned());
    let form = [
        ("id_token_hint", tokens["id_token"].as_str().unwrap()),
        ("post_logout_redirect_uri", HOME),
    ];
    let answer = post_form(&mut elsewhere, "/oauth/end-session", &[], &form).await;
    assert_eq!(sent_to(&answer).0, HOME);
    assert!(!is_signed_in(&mut ada).await);
}

/// Grace follows a link that was meant for Ada.
async fn with_anothers_link() -> (TestApp, Browser, Browser, Value) {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let grace = test.person("grace").await.browser;
    (test, ada, grace, tokens["id_token"].clone())
}

#[tokio::test]
async fn whoever_is_signed_in_as_somebody_else_is_asked_first() {
    let (test, mut ada, mut grace, id_token) = with_anothers_link().await;
    let more = [("post_logout_redirect_uri", HOME), ("state", "\"><b>")];
    let answer = grace.get(&end_session(&id_token, &more)).await;
    assert_is_page(&answer, 200);
    let policy = answer.header("content-security-policy");
    assert!(
        policy.ends_with("form-action 'self' https://collection.example.com"),
        "{policy}"
    );
    assert!(answer.text().contains("grace@example.org") && !answer.text().contains("ada@"));
    assert!(!answer.text().contains("<b>"), "{}", answer.text());
    assert!(is_signed_in(&mut ada).await && is_signed_in(&mut grace).await);

    let form = [
        ("id_token_hint", id_token.as_str().unwrap()),
        ("post_logout_redirect_uri", HOME),
        ("state", "s"),
    ];
    for origin in [None, Some("https://museum.tenants.example.com".to_owned())] {
        let mut page = grace.clone();
        page.origin = origin;
        let answer = post_form(&mut page, "/oauth/end-session", &[], &form).await;
        assert_is_page(&answer, 200);
        assert!(is_signed_in(&mut ada).await, "only our own page has asked her");
    }
    let answer = post_form(&mut grace, "/oauth/end-session", &[], &form).await;
    assert_eq!(sent_to(&answer).0, HOME);
    assert!(is_signed_in(&mut grace).await, "it is not hers that the hint names");
    assert!(!is_signed_in(&mut ada).await);
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.ended'")
            .await,
        1
    );
}

#[tokio::test]
async fn an_old_token_and_one_of_a_forgotten_session_end_nothing() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let path = end_session(&tokens["id_token"], &[]);
    // As long as a session may live.
    test.execute("update sessions set expires_at = expires_at + interval '1 year'")
        .await;
    test.clock.advance(USER_SESSIONS.absolute - TimeDelta::seconds(1));
    assert_eq!(test.browser().get(&path).await.status, 303);
    assert_eq!(test.browser().get(&path).await.status, 303, "again does nothing more");
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.ended'")
            .await,
        1
    );
    test.execute("update sessions set ended_at = null").await;
    test.clock.advance(TimeDelta::seconds(2));
    assert_is_page(&test.browser().get(&path).await, 400);
    assert_eq!(
        test.count("select count(*) from sessions where ended_at is null").await,
        1
    );

    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    test.execute("delete from sessions").await;
    let answer = ada.get(&end_session(&tokens["id_token"], &[])).await;
    assert_is_page(&answer, 400);
}
