//! Passwords and second factors of operators, as they are changed and taken away.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::accounts::{self, Caretaker, OperatorPasswordError};
use tenantry_domain::{
    accounts::{OperatorRole, Password},
    ids::OperatorId,
    mail::Message,
};

use crate::{
    operators::{PASSWORD, operator},
    support::{Answer, Authenticator, Browser, TestApp},
};

const NEXT: &str = "purple anchor sings at dawn";
const SET_UP: &str = "/api/v1/operator/auth/second-factor/totp";
const CONFIRM: &str = "/api/v1/operator/auth/second-factor/confirm";

async fn login(browser: &mut Browser, password: &str) -> Answer {
    let request = json!({ "email": "admin@example.org", "password": password });
    browser.post("/api/v1/operator/auth/login", &request).await
}

/// Gives the password and returns the challenge that comes back.
async fn challenge(browser: &mut Browser, result: &str) -> String {
    let answer = login(browser, PASSWORD).await;
    assert_eq!(answer.json()["result"], result, "{}", answer.text());
    answer.json()["challenge"]["token"].as_str().unwrap().to_owned()
}

async fn set_up(browser: &mut Browser, challenge: &str, link: Option<&str>) -> Answer {
    browser
        .post(SET_UP, &json!({ "challenge": challenge, "link": link }))
        .await
}

async fn admin_id(test: &TestApp) -> OperatorId {
    let found = accounts::find_operator(&test.app, "admin@example.org").await;
    found.unwrap().unwrap()
}

/// Takes the second factor away; returns the token of the link that is printed.
async fn reset(test: &TestApp) -> String {
    let id = admin_id(test).await;
    let reset = accounts::reset_operator_second_factor(&test.app, id, Caretaker::CommandLine).await;
    let link = reset.unwrap().link;
    let (page, token) = link.url.split_once("#token=").unwrap();
    assert_eq!(page, "http://tenantry.localhost:8080/operator/login");
    token.to_owned()
}

#[tokio::test]
async fn whoever_has_only_the_password_does_not_get_a_second_factor_that_was_reset() {
    let test = TestApp::start().await;
    operator(&test, OperatorRole::Admin).await;
    let mut thief = test.browser();
    let early = challenge(&mut thief, "second_factor").await;
    let old = reset(&test).await;
    assert_eq!(
        set_up(&mut thief, &early, None).await.code(),
        "challenge_expired",
        "what was begun before is over"
    );

    let late = challenge(&mut thief, "set_up_second_factor").await;
    for link in [None, Some("nonsense"), Some("A".repeat(43).as_str())] {
        let refused = set_up(&mut thief, &late, link).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "enrolment_link_required")
        );
    }
    test.clock.advance(TimeDelta::hours(24));
    let mut owner = test.browser();
    let own = challenge(&mut owner, "set_up_second_factor").await;
    assert_eq!(
        set_up(&mut owner, &own, Some(&old)).await.code(),
        "enrolment_link_required",
        "a day"
    );

    let link = reset(&test).await;
    let own = challenge(&mut owner, "set_up_second_factor").await;
    assert_eq!(
        set_up(&mut owner, &own, Some(&old)).await.code(),
        "enrolment_link_required"
    );
    let setup = set_up(&mut owner, &own, Some(&link)).await;
    assert_eq!(setup.status, 200, "{}", setup.text());
    let app = Authenticator::learn(&test, &setup.json());
    let request = json!({ "challenge": own, "code": app.code() });
    assert_eq!(owner.post(CONFIRM, &request).await.status, 200);
    let late = challenge(&mut thief, "second_factor").await;
    assert_eq!(set_up(&mut thief, &late, Some(&link)).await.code(), "challenge_expired");
    assert_eq!(
        test.count("select count(*) from operators where enrolment_hash is not null")
            .await,
        0,
        "the link is spent"
    );
}

#[tokio::test]
async fn an_operator_gets_another_password_by_command() {
    let test = TestApp::start().await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let mut waiting = test.browser();
    let begun = challenge(&mut waiting, "second_factor").await;
    let id = admin_id(&test).await;
    let set = async |password: &str| {
        let password = Password::choose(&password.into()).unwrap();
        accounts::set_operator_password(&test.app, id, password, Caretaker::CommandLine).await
    };
    assert!(matches!(
        set("password1234").await,
        Err(OperatorPasswordError::WeakPassword(_))
    ));
    assert_eq!(admin.get("/api/v1/operator/session").await.status, 200);
    set(NEXT).await.unwrap();
    assert_eq!(admin.get("/api/v1/operator/session").await.status, 401);
    let path = "/api/v1/operator/auth/login/second-factor";
    let request = json!({ "challenge": begun, "code": "123456" });
    assert_eq!(waiting.post(path, &request).await.code(), "challenge_expired");
    assert_eq!(login(&mut test.browser(), PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(login(&mut test.browser(), NEXT).await.json()["result"], "second_factor");
    let mails = test.queued_mails().await;
    let told = mails.last().unwrap();
    assert_eq!(told.to, "admin@example.org");
    assert!(
        matches!(&told.message, Message::OperatorPasswordChanged { by, .. } if by.contains("command line")),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_operator_changes_their_own_password() {
    let test = TestApp::start().await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let path = "/api/v1/operator/auth/password";
    let change = async |browser: &mut Browser, current: &str, next: &str| {
        let request = json!({ "current_password": current, "password": next });
        browser.post(path, &request).await
    };
    let wrong = change(&mut admin, "not the password", NEXT).await;
    let error = wrong.json()["errors"][0].clone();
    assert_eq!(
        (&error["pointer"], &error["code"]),
        (&json!("/current_password"), &json!("password_wrong"))
    );
    assert_eq!(wrong.header("ratelimit-remaining"), "4");
    let weak = change(&mut admin, PASSWORD, "admin@example.org").await;
    assert_eq!(weak.json()["errors"][0]["code"], "password_too_weak");

    let mut waiting = test.browser();
    let begun = challenge(&mut waiting, "second_factor").await;
    test.execute(
        "insert into operator_sessions (id, operator_id, secret_hash, expires_at, mfa_at)
         select gen_random_uuid(), id, sha256('elsewhere'), now() + interval '1 hour', now() from operators",
    )
    .await;
    let changed = change(&mut admin, PASSWORD, NEXT).await;
    assert_eq!(changed.status, 204, "{}", changed.text());
    assert_eq!(
        admin.get("/api/v1/operator/session").await.status,
        200,
        "the present one stays"
    );
    assert_eq!(
        test.count("select count(*) from operator_sessions where ended_at is null")
            .await,
        1
    );
    let request = json!({ "challenge": begun, "code": "123456" });
    let answer = waiting
        .post("/api/v1/operator/auth/login/second-factor", &request)
        .await;
    assert_eq!(answer.code(), "challenge_expired");
    assert_eq!(login(&mut test.browser(), PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(login(&mut test.browser(), NEXT).await.status, 200);
    assert!(matches!(
        &test.queued_mails().await.last().unwrap().message,
        Message::OperatorPasswordChanged { by, .. } if by == "admin@example.org"
    ));
    for _ in 0..5 {
        change(&mut admin, "not the password", NEXT).await;
    }
    assert_eq!(
        change(&mut admin, NEXT, PASSWORD).await.status,
        429,
        "guesses are counted"
    );
}
