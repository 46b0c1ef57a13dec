//! Forgotten, reset, changed, and hashed again.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::accounts::{PasswordHasher, PasswordParameters};
use tenantry_domain::{accounts::Password, mail::Message};

use crate::support::{Answer, Browser, PASSWORD, TestApp};

const NEXT: &str = "purple anchor sings at dawn";
const ADA: &str = "ada@example.org";

async fn login(browser: &mut Browser, email: &str, password: &str) -> Answer {
    let request = json!({ "email": email, "password": password });
    browser.post("/api/v1/auth/login", &request).await
}

async fn forgot(test: &TestApp, email: &str) -> String {
    let answer = test
        .browser()
        .post("/api/v1/auth/forgot-password", &json!({ "email": email }))
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (202, "{}"));
    let mails = test.queued_mails().await;
    let newest = mails.iter().rev().find(|mail| mail.to == email).unwrap();
    let Message::ResetPassword { link } = &newest.message else {
        panic!("{newest:?}")
    };
    let (page, fragment) = link.split_once('#').unwrap();
    assert_eq!(page, "http://tenantry.localhost:8080/reset-password");
    let pairs: HashMap<_, _> = url::form_urlencoded::parse(fragment.as_bytes()).collect();
    assert_eq!(pairs["email"], email, "password managers know whose password it is");
    assert_eq!(pairs.len(), 2, "{link}");
    pairs["token"].to_string()
}

async fn reset(browser: &mut Browser, token: &str, password: &str) -> Answer {
    let request = json!({ "token": token, "password": password });
    browser.post("/api/v1/auth/reset-password", &request).await
}

/// The pointer and code of the first field that a problem names.
fn field(answer: &Answer) -> (String, String) {
    assert_eq!((answer.status, answer.code().as_str()), (422, "validation_failed"));
    let error = answer.json()["errors"][0].clone();
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("pointer"), text("code"))
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let older = forgot(&test, ADA).await;
    let token = forgot(&test, ADA).await;

    let weak = reset(&mut test.browser(), &token, "ada@example.org").await;
    assert_eq!(field(&weak), ("/password".to_owned(), "password_too_weak".to_owned()));
    let short = reset(&mut test.browser(), &token, "short").await;
    assert_eq!(field(&short), ("/password".to_owned(), "too_short".to_owned()));

    let mut followed = test.browser();
    let answer = reset(&mut followed, &token, NEXT).await;
    assert_eq!(answer.status, 204, "the link still works: {}", answer.text());
    let names: Vec<&String> = followed.cookies.keys().collect();
    assert_eq!(names, ["__Host-tenantry_device"], "nobody is signed in by it");
    assert_eq!(
        ada.browser.get("/api/v1/session").await.code(),
        "unauthenticated",
        "every session has ended"
    );
    for link in [&token, &older] {
        let again = reset(&mut test.browser(), link, NEXT).await;
        assert_eq!((again.status, again.code().as_str()), (410, "link_expired"));
    }
    assert_eq!(login(&mut test.browser(), ADA, PASSWORD).await.status, 401);
    assert_eq!(login(&mut test.browser(), ADA, NEXT).await.status, 200);
    let mails = test.queued_mails().await;
    assert!(
        mails
            .iter()
            .any(|mail| matches!(mail.message, Message::PasswordChanged { .. })),
        "{mails:?}"
    );
}

#[tokio::test]
async fn strangers_do_not_keep_out_whoever_has_reset_the_password() {
    let test = TestApp::start().await;
    let before = test.person("ada").await.browser;
    let guess = async || {
        let mut stranger = test.browser_from([198, 51, 100, 1]);
        login(&mut stranger, ADA, "not the password").await.status
    };
    for _ in 0..5 {
        assert_eq!(guess().await, 401);
    }
    assert_eq!(login(&mut test.browser(), ADA, PASSWORD).await.status, 429);
    let mut owner = test.browser();
    assert_eq!(reset(&mut owner, &forgot(&test, ADA).await, NEXT).await.status, 204);
    assert_eq!(
        login(&mut test.browser(), ADA, NEXT).await.status,
        200,
        "what failed at the old password is forgotten"
    );
    for _ in 0..5 {
        assert_eq!(guess().await, 401);
    }
    assert_eq!(
        login(&mut before.clone(), ADA, NEXT).await.status,
        429,
        "what was known is not any more"
    );
    assert_eq!(
        login(&mut owner, ADA, NEXT).await.status,
        200,
        "but where the link was followed"
    );
}

#[tokio::test]
async fn a_link_for_a_password_works_for_an_hour() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let token = forgot(&test, ADA).await;
    test.clock.advance(TimeDelta::hours(1));
    assert_eq!(reset(&mut test.browser(), &token, NEXT).await.code(), "link_expired");
    for unknown in ["A".repeat(43).as_str(), "", "x", "%00"] {
        let answer = reset(&mut test.browser(), unknown, NEXT).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "link_unknown"),
            "{unknown}"
        );
    }
    let sign_up = {
        test.register(&mut test.browser(), "grace@example.org").await;
        test.link_token("grace@example.org").await
    };
    assert_eq!(
        reset(&mut test.browser(), &sign_up, NEXT).await.code(),
        "link_unknown",
        "a link does what it is for and nothing else"
    );
}

#[tokio::test]
async fn an_address_without_an_account_is_told_so_by_mail() {
    let test = TestApp::start().await;
    let answer = test
        .browser()
        .post(
            "/api/v1/auth/forgot-password",
            &json!({ "email": "Nobody@Example.org" }),
        )
        .await;
    assert_eq!(answer.status, 202);
    let mails = test.queued_mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "nobody@example.org");
    assert!(matches!(&mails[0].message, Message::NoAccount { .. }));
}

#[tokio::test]
async fn of_two_hundred_who_follow_one_link_one_sets_the_password() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let token = forgot(&test, ADA).await;
    let attempts = (0..200).map(|attempt| {
        let mut browser = test.browser();
        let token = token.clone();
        async move { reset(&mut browser, &token, &format!("{NEXT} {attempt}")).await.status }
    });
    let mut statuses = futures::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| matches!(status, 410 | 429)),
        "{statuses:?}"
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'password.reset'")
            .await,
        1
    );
}

#[tokio::test]
async fn whoever_has_one_link_does_not_keep_the_hasher_busy() {
    let test = TestApp::start().await;
    test.person("ada").await;
    test.person("grace").await;
    let token = forgot(&test, ADA).await;
    let runs = test.app.passwords.runs();
    for left in ["4", "3", "2", "1", "0"] {
        let weak = reset(&mut test.browser(), &token, "password1234").await;
        assert_eq!(field(&weak).1, "password_too_weak");
        assert_eq!(
            (weak.header("ratelimit-limit"), weak.header("ratelimit-remaining")),
            ("5", left)
        );
    }
    let mut elsewhere = test.browser_from([198, 51, 100, 1]);
    let paused = reset(&mut elsewhere, &token, NEXT).await;
    assert_eq!((paused.status, paused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(
        (paused.header("retry-after"), paused.header("ratelimit-remaining")),
        ("1", "0")
    );
    assert_eq!(test.app.passwords.runs(), runs, "nothing was hashed");
    let other = forgot(&test, "grace@example.org").await;
    let answer = reset(&mut test.browser(), &other, NEXT).await;
    assert_eq!(answer.status, 204, "another link counts for itself: {}", answer.text());
    assert_eq!(answer.header("ratelimit-remaining"), "5");
    test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(reset(&mut elsewhere, &token, NEXT).await.status, 204);
}

#[tokio::test]
async fn an_address_stands_in_its_link_as_addresses_do() {
    let test = TestApp::start().await;
    let email = "ada+museum@example.org";
    let mut browser = test.browser();
    test.register(&mut browser, email).await;
    let token = test.link_token(email).await;
    assert_eq!(test.confirm(&mut browser, &token).await.status, 200);
    let token = forgot(&test, email).await;
    assert_eq!(reset(&mut browser, &token, NEXT).await.status, 204);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let link = forgot(&test, ADA).await;
    let mut other = test.browser();
    assert_eq!(login(&mut other, ADA, PASSWORD).await.status, 200);

    let request = json!({ "current_password": "not my password", "password": NEXT });
    let wrong = ada.browser.post("/api/v1/me/password", &request).await;
    assert_eq!(
        field(&wrong),
        ("/current_password".to_owned(), "password_wrong".to_owned())
    );
    let request = json!({ "current_password": PASSWORD, "password": "password1234" });
    let weak = ada.browser.post("/api/v1/me/password", &request).await;
    assert_eq!(field(&weak), ("/password".to_owned(), "password_too_weak".to_owned()));

    let request = json!({ "current_password": PASSWORD, "password": NEXT });
    let answer = ada.browser.post("/api/v1/me/password", &request).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(
        ada.browser.get("/api/v1/session").await.status,
        200,
        "one's own goes on"
    );
    assert_eq!(other.get("/api/v1/session").await.status, 401);
    assert_eq!(reset(&mut test.browser(), &link, NEXT).await.code(), "link_expired");
    assert_eq!(login(&mut test.browser(), ADA, NEXT).await.status, 200);
}

#[tokio::test]
async fn guesses_at_the_present_password_are_counted() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let request = json!({ "current_password": "not my password", "password": NEXT });
    for _ in 0..5 {
        assert_eq!(ada.browser.post("/api/v1/me/password", &request).await.status, 422);
    }
    let paused = ada.browser.post("/api/v1/me/password", &request).await;
    assert_eq!((paused.status, paused.header("retry-after")), (429, "1"));
    assert_eq!(
        login(&mut test.browser(), ADA, PASSWORD).await.status,
        200,
        "signing in has a count of its own"
    );
}

#[tokio::test]
async fn a_cheap_hash_is_made_again_at_sign_in() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let cheaper = PasswordHasher::new(PasswordParameters {
        memory_kib: 32,
        iterations: 1,
        lanes: 1,
        concurrency: 1,
    })
    .unwrap();
    let hash = cheaper.hash(Password::choose(&PASSWORD.into()).unwrap()).await.unwrap();
    let statement = format!("update credentials set password_hash = '{hash}'");
    test.execute(Box::leak(statement.into_boxed_str())).await;
    let strong = "select count(*) from credentials where password_hash like '$argon2id$v=19$m=64,t=1,p=1$%'";
    assert_eq!(test.count(strong).await, 0);
    assert_eq!(login(&mut test.browser(), ADA, "not my password").await.status, 401);
    assert_eq!(test.count(strong).await, 0, "a wrong password changes nothing");
    assert_eq!(login(&mut test.browser(), ADA, PASSWORD).await.status, 200);
    assert_eq!(test.count(strong).await, 1);
    assert_eq!(login(&mut test.browser(), ADA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_link_of_a_sign_up_is_sent_again() {
    let test = TestApp::start().await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, ADA).await;
    test.clock.advance(TimeDelta::hours(23));
    // A stranger signs up with the same address, and the link of the one who asks is sent again all the same.
    let mut stranger = test.browser();
    let other = json!({ "email": ADA, "password": PASSWORD, "name": "Mallory", "organization_name": "Not Ada's" });
    assert_eq!(stranger.post("/api/v1/auth/register", &other).await.status, 202);
    let path = "/api/v1/auth/resend-verification";
    let answer = signed_up.post(path, &json!({ "email": ADA })).await;
    assert_eq!((answer.status, answer.text().as_str()), (202, "{}"));
    let mails = test.queued_mails().await;
    let Message::ConfirmAgain { link } = &mails.last().unwrap().message else {
        panic!("{mails:?}")
    };
    let token = link.split_once("/confirm#token=").unwrap().1;
    let looked = json!({ "token": token });
    let seen = signed_up.post("/api/v1/auth/verify-email/link", &looked).await;
    assert_eq!(seen.json()["organization_name"], "Museum of Examples");

    let elsewhere = test.browser().post(path, &json!({ "email": ADA })).await;
    assert_eq!(elsewhere.status, 202);
    assert!(!elsewhere.headers.contains_key("set-cookie"));
    let nothing = async || {
        let mails = test.queued_mails().await;
        matches!(&mails.last().unwrap().message, Message::NothingToConfirm { .. })
    };
    assert!(nothing().await, "nobody signed up from there");
    test.clock.advance(TimeDelta::hours(23));
    assert_eq!(
        test.confirm(&mut signed_up, token).await.status,
        200,
        "a day from now on"
    );
    assert_eq!(
        login(&mut test.browser(), ADA, PASSWORD).await.status,
        200,
        "the password is the same"
    );

    test.browser().post(path, &json!({ "email": ADA })).await;
    assert!(nothing().await, "it is live");
}

#[tokio::test]
async fn a_sign_up_that_waited_in_vain_is_not_sent_again() {
    let test = TestApp::start().await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, ADA).await;
    let first = test.link_token(ADA).await;
    test.clock.advance(TimeDelta::hours(24));
    assert_eq!(test.confirm(&mut signed_up, &first).await.code(), "link_expired");
    signed_up
        .post("/api/v1/auth/resend-verification", &json!({ "email": ADA }))
        .await;
    let mails = test.queued_mails().await;
    assert!(matches!(
        &mails.last().unwrap().message,
        Message::NothingToConfirm { .. }
    ));
}
