//! A call under the same key does nothing twice.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::TestApp;

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
