//! The keys: published before they sign and after, the same on every replica.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::future::join_all;
use tenantry_app::accounts::{self, SigningKey};
use tenantry_domain::accounts::tokens::SigningAlgorithm;

use super::{access_token, first_tokens, get_with, program, refresh_token, tokens};
use crate::support::TestApp;

async fn published(test: &TestApp) -> BTreeSet<String> {
    let answer = test.browser().get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let list = answer.json();
    for key in list["keys"].as_array().unwrap() {
        assert!(
            key.get("d").is_none() && key.get("p").is_none(),
            "a private half is published"
        );
        assert_eq!(key["use"], "sig");
    }
    list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn ed_keys(test: &TestApp) -> Vec<SigningKey> {
    let keys = accounts::list_keys(&test.app).await.unwrap();
    keys.into_iter()
        .filter(|key| key.algorithm == SigningAlgorithm::EdDsa)
        .collect()
}

/// The key that a token names.
fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "at+jwt");
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_make_one_key_of_each_kind() {
    let test = TestApp::start().await;
    let lists = join_all((0..6).map(|_| {
        let mut replica = test.replica();
        tokio::spawn(async move { replica.get("/.well-known/jwks.json").await.text() })
    }))
    .await;
    let lists: BTreeSet<String> = lists.into_iter().map(Result::unwrap).collect();
    assert_eq!(lists.len(), 1, "{lists:#?}");
    assert_eq!(test.count("select count(*) from signing_keys").await, 2);
    assert_eq!(
        test.count("select count(*) from signing_keys where sealed_private like '%PRIVATE%' or public_jwk ? 'd'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_after() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let before = first_tokens(&mut program).await;
    let old = kid(access_token(&before));
    let new = accounts::rotate_keys(&test.app, SigningAlgorithm::EdDsa, "a test")
        .await
        .unwrap();
    assert!(!new.signs);
    let list = published(&test).await;
    assert!(list.contains(&old) && list.contains(&new.kid), "{list:?}");

    test.clock.advance(TimeDelta::hours(23));
    let during = tokens(&mut program, refresh_token(&before)).await;
    assert_eq!(
        kid(access_token(&during)),
        old,
        "products have not all heard of the new key yet"
    );

    test.clock.advance(TimeDelta::hours(1));
    let after = tokens(&mut program, refresh_token(&during)).await;
    assert_eq!(kid(access_token(&after)), new.kid);
    test.clock.advance(TimeDelta::minutes(10));
    assert!(
        published(&test).await.contains(&old),
        "what it signed may still be shown"
    );
    for pair in [&during, &after] {
        // The first of the two is older than a quarter of an hour by then, the key is not what it fails by.
        let expected = if pair == &after { 200 } else { 401 };
        let answer = get_with(&mut program, "/api/v1/session", access_token(pair)).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
    test.clock.advance(TimeDelta::days(1));
    assert!(!published(&test).await.contains(&old));
}

#[tokio::test]
async fn keys_are_replaced_on_schedule_and_somebody_always_signs() {
    let test = TestApp::start().await;
    accounts::keep_keys_fresh(&test.app).await.unwrap();
    let mut seen = BTreeSet::new();
    for day in 0..400 {
        let keys = ed_keys(&test).await;
        let signing: Vec<_> = keys.iter().filter(|key| key.signs).collect();
        assert_eq!(signing.len(), 1, "day {day}: {keys:#?}");
        seen.insert(signing[0].kid.clone());
        test.clock.advance(TimeDelta::days(1));
        if day % 3 == 0 {
            accounts::keep_keys_fresh(&test.app).await.unwrap();
        }
    }
    assert!((4..=6).contains(&seen.len()), "{} keys in 400 days", seen.len());
    assert!(
        ed_keys(&test).await.len() <= 2,
        "those that nothing needs any more are gone"
    );
}
