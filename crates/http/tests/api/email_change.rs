//! An account gets another address.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_domain::mail::Message;

use crate::support::{Answer, Browser, PASSWORD, TestApp};

const NEW: &str = "lovelace@example.org";

async fn ask(browser: &mut Browser, email: &str) -> Answer {
    browser.post("/api/v1/me/email", &json!({ "email": email })).await
}

async fn confirm(browser: &mut Browser, token: &str) -> Answer {
    browser
        .post("/api/v1/auth/confirm-email", &json!({ "token": token }))
        .await
}

/// The token in the newest link to an address.
async fn token_to(test: &TestApp, email: &str) -> String {
    let mails = test.queued_mails().await;
    let newest = mails.iter().rev().find(|mail| mail.to == email).unwrap();
    let Message::ConfirmNewEmail { link, .. } = &newest.message else {
        panic!("{newest:?}")
    };
    link.split_once("/confirm-email#token=").unwrap().1.to_owned()
}

#[tokio::test]
async fn the_new_address_is_proven_and_both_are_told() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let answer = ask(&mut ada.browser, NEW).await;
    assert_eq!((answer.status, answer.text().as_str()), (202, "{}"));
    assert_eq!(answer.header("ratelimit-remaining"), "4");
    assert_eq!(ada.browser.get("/api/v1/me").await.json()["email"], "ada@example.org");
    let token = token_to(&test, NEW).await;

    let mut stranger = test.browser();
    let look = async |browser: &mut Browser| {
        let path = "/api/v1/auth/confirm-email/link";
        browser.post(path, &json!({ "token": token })).await
    };
    let seen = look(&mut stranger).await;
    let expected = json!({ "user": ada.session["user"]["id"], "name": "Ada Lovelace", "email": NEW });
    assert_eq!(seen.json(), expected, "{}", seen.text());
    assert_eq!(
        ada.browser.get("/api/v1/me").await.json()["email"],
        "ada@example.org",
        "looking changes nothing"
    );
    let answer = confirm(&mut stranger, &token).await;
    assert_eq!(answer.status, 204, "another browser will do: {}", answer.text());
    assert_eq!(ada.browser.get("/api/v1/me").await.json()["email"], NEW);
    assert_eq!(confirm(&mut stranger, &token).await.code(), "link_expired");
    assert_eq!(look(&mut stranger).await.code(), "link_expired");
    let mails = test.queued_mails().await;
    let told: Vec<&str> = mails
        .iter()
        .filter(|mail| matches!(&mail.message, Message::EmailChanged { .. }))
        .map(|mail| mail.to.as_str())
        .collect();
    assert_eq!(told, ["ada@example.org", NEW]);

    let login = |email: &str| json!({ "email": email, "password": PASSWORD });
    assert_eq!(
        stranger
            .post("/api/v1/auth/login", &login("ada@example.org"))
            .await
            .status,
        401
    );
    assert_eq!(stranger.post("/api/v1/auth/login", &login(NEW)).await.status, 200);
}

#[tokio::test]
async fn of_two_hundred_who_follow_one_link_one_changes_the_address() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    ask(&mut ada.browser, NEW).await;
    let token = token_to(&test, NEW).await;
    let attempts = (0..200).map(|_| {
        let mut browser = test.browser();
        let token = token.clone();
        async move { confirm(&mut browser, &token).await.status }
    });
    let mut statuses = futures::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| *status == 410), "{statuses:?}");
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'email.changed'")
            .await,
        1
    );
}

#[tokio::test]
async fn an_address_of_somebody_else_stays_theirs() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    test.person("grace").await;
    let answer = ask(&mut ada.browser, "grace@example.org").await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (202, "{}"),
        "nobody is told whom there is"
    );
    let mails = test.queued_mails().await;
    assert!(matches!(
        &mails.last().unwrap().message,
        Message::AlreadyRegistered { .. }
    ));

    // Taken after the link was sent.
    ask(&mut ada.browser, NEW).await;
    let token = token_to(&test, NEW).await;
    test.person("lovelace").await;
    assert_eq!(confirm(&mut test.browser(), &token).await.code(), "link_expired");
    assert_eq!(ada.browser.get("/api/v1/me").await.json()["email"], "ada@example.org");
}

#[tokio::test]
async fn a_newer_request_replaces_the_link() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    ask(&mut ada.browser, NEW).await;
    let older = token_to(&test, NEW).await;
    ask(&mut ada.browser, "countess@example.org").await;
    let newer = token_to(&test, "countess@example.org").await;
    assert_eq!(confirm(&mut test.browser(), &older).await.code(), "link_expired");
    test.clock.advance(TimeDelta::hours(24));
    assert_eq!(confirm(&mut test.browser(), &newer).await.code(), "link_expired");
    assert_eq!(
        confirm(&mut test.browser(), &"A".repeat(43)).await.code(),
        "link_unknown"
    );
}

#[tokio::test]
async fn it_takes_a_recent_proof_and_another_address() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let same = ask(&mut ada.browser, "ADA@example.org").await;
    assert_eq!(same.json()["errors"][0]["code"], "email_unchanged");
    test.clock.advance(TimeDelta::minutes(11));
    let refused = ask(&mut ada.browser, NEW).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "step_up_required"));
    assert_eq!(test.count("select count(*) from one_time_tokens").await, 0);
}
