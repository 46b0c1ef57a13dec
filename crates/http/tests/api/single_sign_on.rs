//! Tenantry as OpenID provider: what a product's library does, step by step, and what it must not get.

mod asking;
mod exchanging;
mod rates;
mod redeeming;
mod signing_out;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenantry_app::accounts::OpaqueToken;
use url::{Url, form_urlencoded};

use crate::support::{Answer, Browser, TestApp};

const CALLBACK: &str = "https://collection.example.com/auth/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-letters-0123456789";

/// The secret of the client `collection`.
fn secret() -> String {
    OpaqueToken::from_bytes([9; 32]).encode().to_string()
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// `collection` keeps a secret, `pages` runs in browsers, `instances` has a site of its own for each customer.
async fn with_clients() -> TestApp {
    let test = TestApp::start().await;
    for statement in [
        "insert into products (key, delivery, definition) values
             ('collection', 'shared', '{}'), ('pages', 'shared', '{}'), ('instances', 'dedicated', '{}')",
        "insert into oidc_clients (client_id, product, name, redirect_uris, post_logout_redirect_uris, secret_hash) values
             ('collection', 'collection', 'Collection', '{https://collection.example.com/auth/callback}',
              '{https://collection.example.com/}', sha256(decode(repeat('09', 32), 'hex'))),
             ('pages', 'pages', 'Pages', '{https://pages.example.com/callback?kind=oidc}', '{}', null),
             ('instances', 'instances', 'Instances', '{\"{{ tenant.url }}/auth/callback\"}', '{\"{{ tenant.url }}/\"}', null)",
    ] {
        test.execute(statement).await;
    }
    test
}

/// The address that a product sends a browser to, with some parameters changed; an empty one is left away.
fn authorize(changes: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", "collection"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email"),
        ("state", "a state & more"),
        ("nonce", "n-1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        match parameters.iter_mut().find(|parameter| parameter.0 == change.0) {
            Some(parameter) => parameter.1 = change.1,
            None => parameters.push(*change),
        }
    }
    parameters.retain(|parameter| !parameter.1.is_empty());
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("/oauth/authorize?{query}")
}

/// Where a browser is sent, and with what.
fn sent_to(answer: &Answer) -> (String, Vec<(String, String)>) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let url = Url::parse(answer.header("location")).unwrap();
    let parameters = url.query_pairs().into_owned().collect();
    let mut bare = url.clone();
    bare.set_query(None);
    (bare.to_string(), parameters)
}

fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> &'a str {
    parameters.iter().find(|parameter| parameter.0 == name).map_or_else(
        || panic!("no {name} in {parameters:?}"),
        |parameter| parameter.1.as_str(),
    )
}

/// Walks through `/oauth/authorize` and returns the code.
async fn code(browser: &mut Browser, changes: &[(&str, &str)]) -> String {
    let answer = browser.get(&authorize(changes)).await;
    let (_, parameters) = sent_to(&answer);
    parameter(&parameters, "code").to_owned()
}

async fn post_form(browser: &mut Browser, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Answer {
    let body: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    browser.send(Method::POST, path, &all, body.into_bytes()).await
}

/// A server of the product `collection`, which keeps no cookies and belongs to no page.
fn server(test: &TestApp) -> Browser {
    let mut server = test.browser();
    server.origin = None;
    server
}

fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

async fn redeem(test: &TestApp, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let authorization = basic("collection", &secret());
    let headers = [("authorization", authorization.as_str())];
    post_form(&mut server(test), "/oauth/token", &headers, &form).await
}

/// What a product has after somebody signed in to it.
pub(crate) async fn signed_in(test: &TestApp, browser: &mut Browser, changes: &[(&str, &str)]) -> Value {
    let code = code(browser, changes).await;
    let answer = redeem(test, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn with_bearer(browser: &mut Browser, path: &str, token: &Value) -> Answer {
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("authorization", authorization.as_str())];
    browser.send(Method::GET, path, &headers, Vec::new()).await
}

/// An error in the form of OAuth.
#[track_caller]
fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer.json()["error_description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}
