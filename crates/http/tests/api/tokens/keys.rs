//! The keys: published before they sign and after, the same on every replica.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use futures::future::join_all;
use tenantry_app::accounts::{self, SigningKey};
use tenantry_domain::accounts::tokens::SigningAlgorithm;
use tenantry_test_support::wait_for;
use tokio_util::sync::CancellationToken;

use super::{access_token, first_tokens, get_with, program, refresh_token, tokens};
use crate::support::{Browser, PUBLIC_URL, TestApp};

async fn published(test: &TestApp) -> BTreeSet<String> {
    published_to(&mut test.browser()).await
}

async fn published_to(browser: &mut Browser) -> BTreeSet<String> {
    let answer = browser.get("/.well-known/jwks.json").await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_out_of_use_at_once_everywhere() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let before = first_tokens(&mut program).await;
    let old = kid(access_token(&before));
    let (server, mut replica) = test.another_server(PUBLIC_URL);
    replica.origin = None;
    let stop = CancellationToken::new();
    let follower = tokio::spawn(accounts::follow_keys(server, stop.clone()));
    for browser in [&mut program, &mut replica] {
        let answer = get_with(browser, "/api/v1/session", access_token(&before)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    let revoked = accounts::revoke_key(&test.app, &old, "a test").await.unwrap().unwrap();
    let successor = revoked.successor.unwrap();
    assert!(successor.signs, "somebody signs at every moment");
    // The clock stands still: no list grows old by itself.
    wait_for("the other server to hear of it", Duration::from_secs(20), async || {
        (!published_to(&mut replica).await.contains(&old)).then_some(())
    })
    .await;
    assert!(!published(&test).await.contains(&old));
    assert!(published_to(&mut replica).await.contains(&successor.kid));
    for browser in [&mut program, &mut replica] {
        let answer = get_with(browser, "/api/v1/session", access_token(&before)).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
    }
    let after = tokens(&mut replica, refresh_token(&before)).await;
    assert_eq!(kid(access_token(&after)), successor.kid, "nobody is signed out");
    for browser in [&mut program, &mut replica] {
        let answer = get_with(browser, "/api/v1/session", access_token(&after)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(
        test.count("select count(*) from signing_keys where revoked_at is not null and sealed_private = ''")
            .await,
        1,
        "what nothing needs any more is gone"
    );

    test.clock.advance(TimeDelta::minutes(1));
    let again = accounts::revoke_key(&test.app, &old, "a test").await.unwrap().unwrap();
    assert_eq!((again.revoked_at, again.successor), (revoked.revoked_at, None));
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'signing_key.revoked'")
            .await,
        1
    );
    assert!(
        accounts::revoke_key(&test.app, "no-such-key", "a test")
            .await
            .unwrap()
            .is_none()
    );
    stop.cancel();
    follower.await.unwrap();
}

#[tokio::test]
async fn somebody_signs_whichever_key_is_revoked() {
    let test = TestApp::start().await;
    accounts::keep_keys_fresh(&test.app).await.unwrap();
    let first = ed_keys(&test).await.remove(0);
    let next = accounts::rotate_keys(&test.app, SigningAlgorithm::EdDsa, "a test")
        .await
        .unwrap();
    let revoked = accounts::revoke_key(&test.app, &next.kid, "a test")
        .await
        .unwrap()
        .unwrap();
    let successor = revoked.successor.unwrap();
    assert!(
        (successor.times.not_before - next.times.not_before).abs() < TimeDelta::seconds(1),
        "it takes over when the revoked one would have"
    );
    for _ in 0..50 {
        let signing: Vec<_> = ed_keys(&test).await.into_iter().filter(|key| key.signs).collect();
        assert_eq!(signing.len(), 1, "{signing:#?}");
        test.clock.advance(TimeDelta::hours(1));
    }
    let revoked = accounts::revoke_key(&test.app, &first.kid, "a test")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(revoked.successor, None, "it signs no more");
    assert_eq!(ed_keys(&test).await.len(), 1);
}
