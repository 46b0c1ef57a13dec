//! Second factors: set up, asked for, used once, required by an organization.

use chrono::{TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use tenantry_domain::{
    accounts::FactorHolder,
    mail::{Message, SecondFactorChange},
};
use tenantry_postgres::accounts::second_factors;

use crate::support::{Answer, Browser, PASSWORD, TestApp, recovery_codes};

pub(crate) const TOTP: &str = "/api/v1/me/second-factor/totp";

/// Gives the right password; returns the token of the challenge that comes back.
pub(crate) async fn challenge(browser: &mut Browser, email: &str) -> String {
    let answer = password(browser, email).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["result"], "second_factor");
    assert_eq!(answer["challenge"]["methods"], json!(["totp", "recovery_code"]));
    answer["challenge"]["token"].as_str().unwrap().to_owned()
}

async fn password(browser: &mut Browser, email: &str) -> Answer {
    let request = json!({ "email": email, "password": PASSWORD });
    browser.post("/api/v1/auth/login", &request).await
}

async fn remove(browser: &mut Browser) -> Answer {
    browser.send(Method::DELETE, TOTP, &[], Vec::new()).await
}

async fn changes(test: &TestApp) -> Vec<SecondFactorChange> {
    let mails = test.queued_mails().await;
    let told = mails.iter().filter_map(|mail| match mail.message {
        Message::SecondFactorChanged { change, .. } => Some(change),
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn a_second_factor_is_set_up_and_asked_for() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let status = ada.get("/api/v1/me/second-factor").await.json();
    assert_eq!(
        (&status["enabled"], &status["confirmed_at"]),
        (&json!(false), &Value::Null)
    );

    let setup = ada.post(TOTP, &Value::Null).await.json();
    assert!(
        setup["otpauth_uri"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/Tenantry:ada%40example.org?secret=")
    );
    assert!(setup["qr_svg"].as_str().unwrap().starts_with("<svg"));
    let wrong = ada.post(&format!("{TOTP}/confirm"), &json!({ "code": "000000" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "code_invalid"));
    assert_eq!(
        password(&mut test.browser(), "ada@example.org").await.json()["result"],
        "session",
        "what is not confirmed asks for nothing"
    );

    let (app, codes) = ada.sets_up_second_factor(&test).await;
    assert_eq!(codes.len(), 10);
    let status = ada.get("/api/v1/me/second-factor").await.json();
    assert_eq!(
        (&status["enabled"], &status["recovery_codes_left"]),
        (&json!(true), &json!(10))
    );
    assert_eq!(ada.get("/api/v1/session").await.json()["second_factor"], true);
    assert_eq!(changes(&test).await, [SecondFactorChange::Enabled]);

    let mut browser = test.browser();
    let token = challenge(&mut browser, "ada@example.org").await;
    assert!(browser.cookies.is_empty(), "a password alone opens nothing");
    let replayed = browser.answers(&token, &app.code()).await;
    assert_eq!(replayed.code(), "code_invalid", "the code of the set-up was used");
    let answer = browser.answers(&token, &app.next_code()).await;
    assert_eq!(answer.json()["result"], "session", "{}", answer.text());
    assert_eq!(browser.get("/api/v1/session").await.status, 200);

    assert_eq!(remove(&mut browser).await.status, 204);
    assert_eq!(
        password(&mut test.browser(), "ada@example.org").await.json()["result"],
        "session"
    );
    assert_eq!(remove(&mut browser).await.code(), "second_factor_not_set_up");
    assert_eq!(
        changes(&test).await,
        [SecondFactorChange::Enabled, SecondFactorChange::Disabled]
    );
}

#[tokio::test]
async fn a_code_and_a_challenge_are_good_once() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (app, _) = ada.sets_up_second_factor(&test).await;
    let mut browser = test.browser();
    let first = challenge(&mut browser, "ada@example.org").await;
    let second = challenge(&mut browser, "ada@example.org").await;
    let code = app.next_code();
    assert_eq!(browser.answers(&first, &code).await.status, 200);
    let replayed = browser.answers(&second, &code).await;
    assert_eq!((replayed.status, replayed.code().as_str()), (401, "code_invalid"));
    assert_eq!(
        browser.answers(&second, &app.code_in(-1)).await.code(),
        "code_invalid",
        "nor is one from before the last that was used"
    );
    let again = browser.answers(&first, &app.next_code()).await;
    assert_eq!((again.status, again.code().as_str()), (410, "challenge_expired"));
    assert_eq!(
        browser.answers("nonsense", &app.code()).await.code(),
        "challenge_expired"
    );
    test.clock.advance(TimeDelta::minutes(5));
    assert_eq!(browser.answers(&second, &app.code()).await.code(), "challenge_expired");
    let malformed = browser.answers(&second, "12 34").await;
    assert_eq!(malformed.json()["errors"][0]["code"], "code_malformed");
}

#[tokio::test]
async fn guessing_codes_ends_the_challenge_and_pauses_the_account() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (app, _) = ada.sets_up_second_factor(&test).await;
    let mut thief = test.browser_from([198, 51, 100, 1]);
    let token = challenge(&mut thief, "ada@example.org").await;
    for _ in 0..5 {
        assert_eq!(thief.answers(&token, &app.wrong_code()).await.code(), "code_invalid");
    }
    let paused = thief.answers(&token, &app.next_code()).await;
    assert_eq!(paused.status, 410, "{}", paused.text());

    for _ in 0..4 {
        test.clock.advance(TimeDelta::minutes(15));
        let token = challenge(&mut thief, "ada@example.org").await;
        let answer = thief.answers(&token, &app.wrong_code()).await;
        assert_eq!(answer.code(), "code_invalid", "one guess for each pause");
        assert_eq!(
            thief.answers(&token, &app.wrong_code()).await.code(),
            "too_many_attempts"
        );
        assert_eq!(
            password(&mut thief, "ada@example.org").await.status,
            429,
            "the right password wins no guess back"
        );
    }
    let token = challenge(&mut ada, "ada@example.org").await;
    assert_eq!(
        ada.answers(&token, &app.next_code()).await.status,
        200,
        "on a known device"
    );
}

#[tokio::test]
async fn a_recovery_code_opens_the_door_once() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (_, codes) = ada.sets_up_second_factor(&test).await;
    let mut browser = test.browser();
    let token = challenge(&mut browser, "ada@example.org").await;
    let typed = codes[0].replace('-', " ").to_uppercase();
    assert_eq!(browser.answers(&token, &typed).await.status, 200);
    let token = challenge(&mut browser, "ada@example.org").await;
    assert_eq!(browser.answers(&token, &codes[0]).await.code(), "code_invalid");
    let status = ada.get("/api/v1/me/second-factor").await.json();
    assert_eq!(status["recovery_codes_left"], 9);

    let renewed = ada.post("/api/v1/me/second-factor/recovery-codes", &Value::Null).await;
    let new = recovery_codes(&renewed);
    assert!(new.iter().all(|code| !codes.contains(code)));
    assert_eq!(browser.answers(&token, &codes[1]).await.code(), "code_invalid", "void");
    assert_eq!(browser.answers(&token, &new[1]).await.status, 200);
    assert_eq!(
        changes(&test).await,
        [SecondFactorChange::Enabled, SecondFactorChange::CodesRenewed]
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'second_factor.used' and body ->> 'method' = 'recovery_code'")
            .await,
        2
    );
}

#[tokio::test]
async fn of_two_hundred_with_one_code_one_gets_in() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    let mut ada = person.browser;
    let (app, codes) = ada.sets_up_second_factor(&test).await;
    for code in [app.next_code(), codes[0].clone()] {
        let mut browsers = Vec::new();
        for _ in 0..200 {
            let mut browser = test.browser();
            let token = challenge(&mut browser, "ada@example.org").await;
            browsers.push((browser, token));
        }
        let answers = browsers
            .iter_mut()
            .map(|(browser, token)| browser.answers(token, &code));
        let mut statuses: Vec<u16> = futures::future::join_all(answers)
            .await
            .iter()
            .map(|answer| answer.status)
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200);
        assert!(
            statuses[1..].iter().all(|status| matches!(status, 401 | 429 | 503)),
            "{statuses:?}"
        );
        test.clock.advance(TimeDelta::minutes(15));
    }
    // The door's own pauses apart: the ledger itself takes a step once.
    let user = person.session["user"]["id"].as_str().unwrap().parse().unwrap();
    let step = test.clock_step() + 10;
    let uses = (0..200).map(|_| async {
        let mut tx = test.app.database.system("a test uses a step").await.unwrap();
        let used = second_factors::use_step(&mut tx, FactorHolder::User(user), step)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        used
    });
    let used = futures::future::join_all(uses).await;
    assert_eq!(used.iter().filter(|used| **used).count(), 1);
}

#[tokio::test]
async fn one_challenge_is_answered_once_by_two_hundred() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (_, codes) = ada.sets_up_second_factor(&test).await;
    let token = challenge(&mut ada, "ada@example.org").await;
    let answers = (0..200).map(|client| {
        let (mut browser, token) = (test.browser(), token.clone());
        let code = codes[client % 10].clone();
        async move { browser.answers(&token, &code).await.status }
    });
    let statuses = futures::future::join_all(answers).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    let left = ada.get("/api/v1/me/second-factor").await.json()["recovery_codes_left"].clone();
    assert_eq!(left, 9, "and no other code was used up");
}

#[tokio::test]
async fn a_new_app_takes_over_once_it_has_shown_a_code() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (old, _) = ada.sets_up_second_factor(&test).await;
    ada.post(TOTP, &Value::Null).await;
    let mut browser = test.browser();
    let token = challenge(&mut browser, "ada@example.org").await;
    assert_eq!(
        browser.answers(&token, &old.next_code()).await.status,
        200,
        "the old one counts"
    );
    let (new, _) = ada.sets_up_second_factor(&test).await;
    let token = challenge(&mut browser, "ada@example.org").await;
    assert_eq!(browser.answers(&token, &old.next_code()).await.code(), "code_invalid");
    assert_eq!(browser.answers(&token, &new.code()).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_for_a_new_proof() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let step_up = "/api/v1/auth/step-up";
    test.clock.advance(TimeDelta::minutes(11));
    let refused = ada.post(TOTP, &Value::Null).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "step_up_required"));
    assert_eq!(
        ada.post(step_up, &json!({})).await.json()["errors"][0]["pointer"],
        "/password"
    );
    let wrong = ada.post(step_up, &json!({ "password": "wrong password" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "invalid_credentials"));
    assert_eq!(ada.post(TOTP, &Value::Null).await.code(), "step_up_required");
    assert_eq!(ada.post(step_up, &json!({ "password": PASSWORD })).await.status, 204);
    let (app, _) = ada.sets_up_second_factor(&test).await;

    test.clock.advance(TimeDelta::minutes(11));
    assert_eq!(remove(&mut ada).await.code(), "step_up_required");
    let password_only = ada.post(step_up, &json!({ "password": PASSWORD })).await;
    assert_eq!(password_only.json()["errors"][0]["pointer"], "/code");
    assert_eq!(
        ada.post(step_up, &json!({ "code": app.wrong_code() })).await.code(),
        "code_invalid"
    );
    let code = app.code();
    assert_eq!(ada.post(step_up, &json!({ "code": code })).await.status, 204);
    assert_eq!(
        ada.post(step_up, &json!({ "code": code })).await.code(),
        "code_invalid",
        "used"
    );
    let until = ada.get("/api/v1/session").await.json()["proved_until"].clone();
    assert!(until.as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap() > test.now());
    assert_eq!(remove(&mut ada).await.status, 204);
    for _ in 0..5 {
        ada.post(step_up, &json!({ "password": "wrong password" })).await;
    }
    let paused = ada.post(step_up, &json!({ "password": PASSWORD })).await;
    assert_eq!(paused.status, 429, "guesses are counted");
}

#[tokio::test]
async fn an_organization_lets_nobody_in_without_a_second_factor_once_the_grace_is_over() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut grace = test.person("grace").await.browser;
    test.execute(
        "insert into memberships (organization_id, user_id, role)
         select m.organization_id, u.id, 'member' from memberships m join users o on o.id = m.user_id, users u
         where o.email_normalized = 'ada@example.org' and u.email_normalized = 'grace@example.org'",
    )
    .await;
    let organization = format!("/api/v1/organizations/{}", ada.organization());
    let security = format!("{organization}/security");
    let put = async |browser: &mut Browser, body: Value| {
        let headers = [("content-type", "application/json")];
        browser
            .send(Method::PUT, &security, &headers, body.to_string().into_bytes())
            .await
    };
    let demand = json!({ "second_factor_required": true, "grace_days": 7 });
    assert_eq!(
        put(&mut ada.browser, demand.clone()).await.code(),
        "own_second_factor_missing"
    );
    let too_long = json!({ "second_factor_required": true, "grace_days": 91 });
    assert_eq!(
        put(&mut ada.browser, too_long).await.json()["errors"][0]["pointer"],
        "/grace_days"
    );
    ada.browser.sets_up_second_factor(&test).await;
    let answer = put(&mut ada.browser, demand).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(ada.browser.get(&security).await.json(), answer.json());
    assert_eq!(grace.get(&security).await.code(), "permission_missing");

    let demanded = &grace.get("/api/v1/session").await.json()["second_factor_required"];
    assert_eq!(demanded["organization"], ada.organization());
    assert_eq!(demanded["from"], answer.json()["from"]);
    let required_by = &grace.get("/api/v1/me/second-factor").await.json()["required_by"];
    assert_eq!(required_by[0]["name"], "Museum of Examples");
    assert_eq!(grace.get(&organization).await.status, 200, "there is time");

    test.clock.advance(TimeDelta::days(7));
    let refused = grace.get(&organization).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "second_factor_required")
    );
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("/me/second-factor/totp")
    );
    assert_eq!(ada.browser.get(&organization).await.status, 200);
    let proof = json!({ "password": PASSWORD });
    assert_eq!(grace.post("/api/v1/auth/step-up", &proof).await.status, 204);
    grace.sets_up_second_factor(&test).await;
    assert_eq!(grace.get(&organization).await.status, 200);
    assert_eq!(
        grace.get("/api/v1/session").await.json()["second_factor_required"],
        Value::Null
    );
    let kept = remove(&mut grace).await;
    assert_eq!((kept.status, kept.code().as_str()), (409, "second_factor_in_demand"));
}

#[tokio::test]
async fn sessions_from_before_the_second_factor_show_it_before_they_count() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut before = test.browser();
    let answer = password(&mut before, "ada@example.org").await;
    before.remember_session(&answer);
    let (app, _) = ada.browser.sets_up_second_factor(&test).await;
    test.execute("update organizations set second_factor_required_from = now() - interval '1 day'")
        .await;
    let organization = format!("/api/v1/organizations/{}", ada.organization());
    assert_eq!(ada.browser.get(&organization).await.status, 200);
    let refused = before.get(&organization).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "step_up_required"));
    assert_eq!(
        before.post(TOTP, &Value::Null).await.code(),
        "step_up_required",
        "the password of a moment ago is no proof any more"
    );
    let proof = json!({ "code": app.next_code() });
    assert_eq!(before.post("/api/v1/auth/step-up", &proof).await.status, 204);
    assert_eq!(before.get(&organization).await.status, 200);
}

#[tokio::test]
async fn a_secret_opens_for_its_owner_alone_and_stands_nowhere_in_clear() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let setup = ada.post(TOTP, &Value::Null).await.json();
    ada.sets_up_second_factor(&test).await;
    test.person("mallory").await;
    test.execute(
        "insert into totp_factors (user_id, sealed_secret, confirmed_at)
         select m.id, f.sealed_secret, f.confirmed_at from totp_factors f, users m
         where m.email_normalized = 'mallory@example.org'",
    )
    .await;
    let mut browser = test.browser();
    let token = challenge(&mut browser, "mallory@example.org").await;
    assert_eq!(browser.answers(&token, "123456").await.code(), "internal_error");
    let secret = setup["secret"].as_str().unwrap();
    assert!(!secret.is_empty());
    assert_eq!(
        test.count("select count(*) from totp_factors where sealed_secret ~ '^[A-Z2-7]{32}$'")
            .await,
        0
    );
}
