//! A call under the same key does nothing twice.

use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenantry_domain::accounts::OperatorRole;

use crate::{operators::operator, support::TestApp, tenants::sell};

const PATH: &str = "/api/v1/organizations";

#[tokio::test]
async fn the_same_call_gets_the_same_answer() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let mut grace = test.person("grace").await.browser;
    let body = json!({ "name": "Once" });
    let key = [("idempotency-key", "b7c1")];
    let first = ada.post_with(PATH, &body, &key).await;
    let again = ada.post_with(PATH, &body, &key).await;
    assert_eq!(
        (first.status, first.json(), first.header("location")),
        (again.status, again.json(), again.header("location"))
    );
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        ("", "true")
    );

    let other = ada.post_with(PATH, &json!({ "name": "Twice" }), &key).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"));
    let anothers = grace.post_with(PATH, &body, &key).await;
    assert_ne!(
        anothers.json()["id"],
        first.json()["id"],
        "keys of two people never meet"
    );
    assert_eq!(
        test.count("select count(*) from organizations where name = 'Once'")
            .await,
        2
    );

    test.clock.advance(TimeDelta::hours(25));
    assert_ne!(
        ada.post_with(PATH, &body, &key).await.json()["id"],
        first.json()["id"],
        "a key is kept for a day"
    );
}

#[tokio::test]
async fn of_twenty_at_once_one_is_done() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await.browser;
    let calls = (0..20).map(|_| {
        let mut browser = ada.clone();
        async move {
            browser
                .post_with(PATH, &json!({ "name": "Once" }), &[("idempotency-key", "k")])
                .await
                .status
        }
    });
    let statuses = futures::future::join_all(calls).await;
    assert!(
        statuses.iter().all(|status| matches!(status, 201 | 409)),
        "{statuses:?}"
    );
    assert_eq!(
        test.count("select count(*) from organizations where name = 'Once'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_refusal_is_judged_anew_and_a_forged_call_sees_nothing() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let key = [("idempotency-key", "k")];
    assert_eq!(ada.post_with(PATH, &json!({ "name": "" }), &key).await.status, 422);
    let made = ada.post_with(PATH, &json!({ "name": "Now" }), &key).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let mut forged = ada.clone();
    forged.csrf_token = None;
    assert_eq!(
        forged.post_with(PATH, &json!({ "name": "Now" }), &key).await.code(),
        "csrf_token_invalid"
    );
    let mut nobody = test.browser();
    assert_eq!(
        nobody.post_with(PATH, &json!({ "name": "Now" }), &key).await.code(),
        "unauthenticated"
    );
    for invalid in ["", &"k".repeat(256)] {
        let answer = ada
            .post_with(PATH, &json!({ "name": "Now" }), &[("idempotency-key", invalid)])
            .await;
        assert_eq!(answer.code(), "idempotency_key_invalid", "{invalid}");
    }
}

/// As a server leaves it that dies after the act was committed and before its answer was kept.
const DIED: &str = "update idempotency_keys set status = null, sealed_response = null";

#[tokio::test]
async fn an_attempt_after_a_crash_finds_what_was_made() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let body = json!({ "name": "Once" });
    let key = [("idempotency-key", "k")];
    let first = ada.post_with(PATH, &body, &key).await;
    assert_eq!(first.status, 201, "{}", first.text());
    test.execute(DIED).await;
    assert_eq!(
        ada.post_with(PATH, &body, &key).await.code(),
        "idempotency_in_progress",
        "whoever does it may still be at work"
    );
    test.clock.advance(TimeDelta::minutes(3));
    let again = ada.post_with(PATH, &body, &key).await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (201, first.json()["id"].clone())
    );
    assert_eq!(
        test.count("select count(*) from organizations where name = 'Once'")
            .await,
        1
    );
    let kept = ada.post_with(PATH, &body, &key).await;
    assert_eq!(kept.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn an_operators_attempt_after_a_crash_makes_no_second_tenant() {
    let test = TestApp::start().await;
    sell(&test).await;
    let organization = test.person("ada").await.organization();
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let body = json!({ "organization": organization, "product": "collection", "plan": "starter", "name": "museum" });
    let key = [("idempotency-key", "k")];
    let path = "/api/v1/operator/tenants";
    let first = admin.post_with(path, &body, &key).await;
    assert_eq!(first.status, 202, "{}", first.text());
    test.execute(DIED).await;
    test.clock.advance(TimeDelta::minutes(3));
    let again = admin.post_with(path, &body, &key).await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (202, first.json()["id"].clone())
    );
    assert_eq!(test.count("select count(*) from tenants").await, 1);
}

#[tokio::test]
async fn who_may_not_do_it_any_more_does_not_see_the_kept_answer() {
    let test = TestApp::start().await;
    sell(&test).await;
    let organization = test.person("ada").await.organization();
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let body = json!({ "organization": organization, "product": "collection", "plan": "starter", "name": "museum" });
    let key = [("idempotency-key", "k")];
    let path = "/api/v1/operator/tenants";
    assert_eq!(admin.post_with(path, &body, &key).await.status, 202);
    let kept = admin.post_with(path, &body, &key).await;
    assert_eq!((kept.status, kept.header("idempotency-replayed")), (202, "true"));
    test.execute("update operators set role = 'viewer'").await;
    let refused = admin.post_with(path, &body, &key).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "role_too_small"));
}

#[tokio::test]
async fn a_kept_answer_opens_for_its_own_caller_and_key_alone() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let body = json!({ "name": "Once" });
    for key in ["one", "two"] {
        let made = ada.post_with(PATH, &body, &[("idempotency-key", key)]).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    // Somebody who can write the table exchanges two answers.
    test.execute(
        "update idempotency_keys k set sealed_response = o.sealed_response from idempotency_keys o where o.key <> k.key",
    )
    .await;
    let answer = ada.post_with(PATH, &body, &[("idempotency-key", "one")]).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal_error"));
}

#[tokio::test]
async fn what_is_shown_once_is_not_shown_again_and_a_password_leaves_no_plain_hash() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let key = [("idempotency-key", "secret")];
    let first = ada.post_with("/api/v1/me/second-factor/totp", &json!({}), &key).await;
    let again = ada.post_with("/api/v1/me/second-factor/totp", &json!({}), &key).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", first.text());
    assert_ne!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), "");
    assert_eq!(test.count("select count(*) from idempotency_keys").await, 0);

    let body = json!({ "name": "Hashed" });
    ada.post_with(PATH, &body, &[("idempotency-key", "plain")]).await;
    let mut hash = Sha256::new();
    for part in ["POST", PATH, &body.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let plain = hash.finalize().to_vec();
    let mut tx = test.app.database.system("a test reads a fingerprint").await.unwrap();
    let kept: Vec<u8> = sqlx::query_scalar("select request_hash from idempotency_keys")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_ne!(kept, plain);
}
