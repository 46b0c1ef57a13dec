//! Operators have a door, a cookie and an API of their own.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_app::accounts::{self, Caretaker, CreateOperatorError, ManageOperatorError};
use tenantry_domain::{
    accounts::{Email, OperatorRole, Password},
    mail::Message,
};

use crate::support::{Authenticator, Browser, TestApp, recovery_codes};

pub(crate) const PASSWORD: &str = "seven quiet lanterns drift";

/// An operator with their second factor, signed in.
pub(crate) async fn operator(test: &TestApp, role: OperatorRole) -> Browser {
    enrolled_operator(test, role).await.0
}

async fn enrolled_operator(test: &TestApp, role: OperatorRole) -> (Browser, Authenticator) {
    let email = format!("{role}@example.org");
    let password = Password::choose(&PASSWORD.into()).unwrap();
    accounts::create_operator(&test.app, &Email::parse(&email).unwrap(), password, role, "test")
        .await
        .unwrap();
    let mut browser = test.browser();
    let challenge = challenge(&mut browser, &email, "set_up_second_factor").await;
    let setup = browser
        .post(
            "/api/v1/operator/auth/second-factor/totp",
            &json!({ "challenge": challenge }),
        )
        .await;
    assert_eq!(setup.status, 200, "{}", setup.text());
    let app = Authenticator::learn(test, &setup.json());
    let request = json!({ "challenge": challenge, "code": app.code() });
    let answer = browser
        .post("/api/v1/operator/auth/second-factor/confirm", &request)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(recovery_codes(&answer).len(), 10);
    browser.remember_session(&answer);
    (browser, app)
}

/// Gives the password, which opens nothing, and returns the challenge that comes back.
async fn challenge(browser: &mut Browser, email: &str, result: &str) -> String {
    let request = json!({ "email": email, "password": PASSWORD });
    let answer = browser.post("/api/v1/operator/auth/login", &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["result"], result);
    assert!(browser.cookies.is_empty(), "a password alone opens nothing");
    answer.json()["challenge"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_operator_needs_a_second_factor_always() {
    let test = TestApp::start().await;
    let (_, app) = enrolled_operator(&test, OperatorRole::Admin).await;
    let mut browser = test.browser();
    let token = challenge(&mut browser, "admin@example.org", "second_factor").await;
    let answer = async |browser: &mut Browser, code: &str| {
        let request = json!({ "challenge": token, "code": code });
        browser
            .post("/api/v1/operator/auth/login/second-factor", &request)
            .await
    };
    assert_eq!(
        answer(&mut browser, &app.code()).await.code(),
        "code_invalid",
        "used at the set-up"
    );
    let signed_in = answer(&mut browser, &app.next_code()).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    assert_eq!(signed_in.json()["operator"]["role"], "admin");
    assert_eq!(browser.get("/api/v1/operator/session").await.status, 200);
    assert_eq!(answer(&mut browser, &app.next_code()).await.code(), "challenge_expired");
    test.execute("update operator_sessions set mfa_at = null").await;
    assert_eq!(
        browser.get("/api/v1/operator/session").await.status,
        401,
        "nor does a session without one"
    );
}

#[tokio::test]
async fn who_knows_an_operators_password_alone_sets_up_no_other_app() {
    let test = TestApp::start().await;
    let email = Email::parse("admin@example.org").unwrap();
    let password = Password::choose(&PASSWORD.into()).unwrap();
    accounts::create_operator(&test.app, &email, password, OperatorRole::Admin, "test")
        .await
        .unwrap();
    let mut thief = test.browser();
    let early = challenge(&mut thief, "admin@example.org", "set_up_second_factor").await;
    let mut owner = test.browser();
    let own = challenge(&mut owner, "admin@example.org", "set_up_second_factor").await;
    let path = "/api/v1/operator/auth/second-factor/totp";
    let setup = owner.post(path, &json!({ "challenge": own })).await;
    let app = Authenticator::learn(&test, &setup.json());
    let confirm = "/api/v1/operator/auth/second-factor/confirm";
    let request = json!({ "challenge": own, "code": app.code() });
    assert_eq!(owner.post(confirm, &request).await.status, 200);

    assert_eq!(
        thief.post(path, &json!({ "challenge": early })).await.code(),
        "challenge_expired"
    );
    let request = json!({ "challenge": early, "code": app.next_code() });
    assert_eq!(thief.post(confirm, &request).await.code(), "code_invalid");
    let late = challenge(&mut thief, "admin@example.org", "second_factor").await;
    assert_eq!(
        thief.post(path, &json!({ "challenge": late })).await.code(),
        "challenge_expired"
    );
    assert!(thief.cookies.is_empty());
    let crossed = thief.answers(&late, &app.next_code()).await;
    assert_eq!(crossed.code(), "challenge_expired", "at the customers' door");
    assert!(thief.cookies.is_empty());
}

#[tokio::test]
async fn strangers_do_not_shut_the_console_for_an_operator_on_a_device_that_is_known() {
    let test = TestApp::start().await;
    let (mut known, app) = enrolled_operator(&test, OperatorRole::Admin).await;
    let login = async |browser: &mut Browser, password: &str| {
        let request = json!({ "email": "admin@example.org", "password": password });
        browser.post("/api/v1/operator/auth/login", &request).await
    };
    for guess in 0..5 {
        let mut stranger = test.browser_from([198, 51, 100, guess]);
        assert_eq!(login(&mut stranger, "not the password").await.status, 401);
    }
    assert_eq!(login(&mut test.browser(), PASSWORD).await.status, 429);
    // The device of another operator, or a customer's, is none.
    let mut other = operator(&test, OperatorRole::Viewer).await;
    assert_eq!(login(&mut other, PASSWORD).await.status, 429);

    let answer = login(&mut known, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["challenge"]["token"].clone();
    let request = json!({ "challenge": token, "code": app.next_code() });
    let path = "/api/v1/operator/auth/login/second-factor";
    assert_eq!(known.post(path, &request).await.status, 200);

    for left in ["4", "3", "2", "1", "0"] {
        let wrong = login(&mut known, "not the password").await;
        assert_eq!((wrong.status, wrong.header("ratelimit-remaining")), (401, left));
    }
    assert_eq!(
        login(&mut known, PASSWORD).await.status,
        429,
        "it has a count of its own"
    );
}

#[tokio::test]
async fn an_operator_signs_in_and_out() {
    let test = TestApp::start().await;
    let mut browser = operator(&test, OperatorRole::Support).await;
    assert_eq!(
        browser.cookies.keys().collect::<Vec<_>>(),
        ["__Host-tenantry_operator", "__Host-tenantry_operator_device"]
    );
    let session = browser.get("/api/v1/operator/session").await.json();
    assert_eq!(session["operator"]["email"], "support@example.org");
    assert_eq!(session["operator"]["role"], "support");
    assert_eq!(
        browser.get("/api/v1/session").await.code(),
        "unauthenticated",
        "an operator is no user"
    );
    assert_eq!(
        browser.post("/api/v1/operator/auth/logout", &Value::Null).await.status,
        204
    );
    assert_eq!(browser.get("/api/v1/operator/session").await.code(), "unauthenticated");
}

#[tokio::test]
async fn a_user_is_no_operator_also_with_the_same_address() {
    let test = TestApp::start().await;
    let mut user = test.person("admin").await.browser;
    operator(&test, OperatorRole::Admin).await;
    assert_eq!(user.get("/api/v1/operator/session").await.code(), "unauthenticated");
    let secret = user.cookies["__Host-tenantry_session"].clone();
    user.cookies.insert("__Host-tenantry_operator".to_owned(), secret);
    assert_eq!(user.get("/api/v1/operator/session").await.code(), "unauthenticated");
    let crossed = json!({ "email": "admin@example.org", "password": crate::support::PASSWORD });
    assert_eq!(
        test.browser()
            .post("/api/v1/operator/auth/login", &crossed)
            .await
            .code(),
        "invalid_credentials"
    );
}

#[tokio::test]
async fn an_operators_session_is_short_and_ends_when_disabled() {
    let test = TestApp::start().await;
    let mut idle = operator(&test, OperatorRole::Viewer).await;
    test.clock.advance(TimeDelta::minutes(61));
    assert_eq!(idle.get("/api/v1/operator/session").await.status, 401);
    let mut disabled = operator(&test, OperatorRole::Support).await;
    test.execute("update operators set disabled_at = now()").await;
    assert_eq!(disabled.get("/api/v1/operator/session").await.status, 401);
}

#[tokio::test]
async fn an_operator_is_made_once_and_with_a_good_password() {
    let test = TestApp::start().await;
    let email = Email::parse("root@example.org").unwrap();
    let make = async |password: &str| {
        let password = Password::choose(&password.into()).unwrap();
        accounts::create_operator(&test.app, &email, password, OperatorRole::Admin, "command line").await
    };
    assert!(matches!(
        make("password1234").await,
        Err(CreateOperatorError::WeakPassword(_))
    ));
    assert!(make(PASSWORD).await.is_ok());
    assert!(matches!(make(PASSWORD).await, Err(CreateOperatorError::Exists)));
}

async fn id_of(admin: &mut Browser, email: &str) -> String {
    let page = admin
        .get(&format!("/api/v1/operator/operators?search={email}"))
        .await
        .json();
    page["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn admins_manage_the_others() {
    let test = TestApp::start().await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let mut support = operator(&test, OperatorRole::Support).await;
    let listed = admin.get("/api/v1/operator/operators").await.json();
    let emails: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["email"])
        .collect();
    assert_eq!(emails, ["admin@example.org", "support@example.org"]);
    assert_eq!(support.get("/api/v1/operator/operators").await.code(), "role_too_small");

    let path = format!("/api/v1/operator/operators/{}", id_of(&mut admin, "support").await);
    let answer = admin.post(&format!("{path}/role"), &json!({ "role": "viewer" })).await;
    assert_eq!((answer.status, answer.json()["role"].as_str()), (200, Some("viewer")));
    assert_eq!(
        support.get("/api/v1/operator/session").await.json()["operator"]["role"],
        "viewer",
        "from the next call on"
    );
    let answer = admin.post(&format!("{path}/role"), &json!({ "role": "owner" })).await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/role");

    let answer = admin.post(&format!("{path}/disable"), &Value::Null).await;
    assert!(answer.json()["disabled_at"].is_string(), "{}", answer.text());
    assert_eq!(support.get("/api/v1/operator/session").await.status, 401);
    let again = admin.post(&format!("{path}/disable"), &Value::Null).await;
    assert_eq!(again.json()["disabled_at"], answer.json()["disabled_at"]);
    let login = json!({ "email": "support@example.org", "password": PASSWORD });
    let refused = test.browser().post("/api/v1/operator/auth/login", &login).await;
    assert_eq!(refused.code(), "invalid_credentials");

    for _ in 0..2 {
        let enabled = admin.post(&format!("{path}/enable"), &Value::Null).await;
        assert_eq!(enabled.status, 200, "{}", enabled.text());
        assert!(enabled.json()["disabled_at"].is_null(), "{}", enabled.text());
    }
    assert_eq!(
        support.get("/api/v1/operator/session").await.status,
        401,
        "what had ended stays so"
    );
    challenge(&mut test.browser(), "support@example.org", "second_factor").await;
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'operator.enabled'")
            .await,
        1
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action in ('operator.disabled', 'operator.role_changed')")
            .await,
        2
    );
}

#[tokio::test]
async fn an_installation_keeps_an_admin() {
    let test = TestApp::start().await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let own = id_of(&mut admin, "admin").await;
    let path = format!("/api/v1/operator/operators/{own}");
    let disabled = admin.post(&format!("{path}/disable"), &Value::Null).await;
    assert_eq!(
        (disabled.status, disabled.code().as_str()),
        (409, "operator_is_yourself")
    );
    let demoted = admin.post(&format!("{path}/role"), &json!({ "role": "viewer" })).await;
    assert_eq!(demoted.code(), "operator_is_yourself");
    let by_command = accounts::disable_operator(&test.app, own.parse().unwrap(), Caretaker::CommandLine).await;
    assert!(matches!(by_command, Err(ManageOperatorError::LastAdmin)));
    let demoted = accounts::set_operator_role(
        &test.app,
        own.parse().unwrap(),
        OperatorRole::Support,
        Caretaker::CommandLine,
    )
    .await;
    assert!(matches!(demoted, Err(ManageOperatorError::LastAdmin)));
}

#[tokio::test]
async fn two_admins_who_disable_each_other_leave_one() {
    let test = TestApp::start().await;
    let mut ids = Vec::new();
    for name in ["first", "second"] {
        let email = Email::parse(&format!("{name}@example.org")).unwrap();
        let password = Password::choose(&PASSWORD.into()).unwrap();
        let id = accounts::create_operator(&test.app, &email, password, OperatorRole::Admin, "test").await;
        ids.push(id.unwrap());
    }
    let by = |id| Caretaker::Operator { id, address: None };
    let (one, other) = tokio::join!(
        accounts::disable_operator(&test.app, ids[1], by(ids[0])),
        accounts::disable_operator(&test.app, ids[0], by(ids[1])),
    );
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert_eq!(
        test.count("select count(*) from operators where disabled_at is null")
            .await,
        1
    );
}

#[tokio::test]
async fn a_lost_second_factor_is_forgotten_by_command() {
    let test = TestApp::start().await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    test.execute(
        "insert into operator_totp_factors (operator_id, sealed_secret, confirmed_at) select id, 'sealed', now()
         from operators on conflict (operator_id) do update set confirmed_at = now()",
    )
    .await;
    let id = accounts::find_operator(&test.app, "Admin@Example.org")
        .await
        .unwrap()
        .unwrap();
    let reset = accounts::reset_operator_second_factor(&test.app, id, Caretaker::CommandLine).await;
    assert!(reset.unwrap().existed);
    assert_eq!(test.count("select count(*) from operator_totp_factors").await, 0);
    let mails = test.queued_mails().await;
    let told = mails.last().unwrap();
    assert_eq!(told.to, "admin@example.org");
    assert!(
        matches!(&told.message, Message::OperatorSecondFactorReset { by, .. } if by.contains("command line")),
        "{told:?}"
    );
    let again = accounts::reset_operator_second_factor(&test.app, id, Caretaker::CommandLine).await;
    assert!(!again.unwrap().existed);
    assert_eq!(test.queued_mails().await.len(), mails.len(), "nothing was taken away");
    assert_eq!(admin.get("/api/v1/operator/session").await.status, 401);
}

async fn introduce(browser: &mut Browser, token: &str, email: &str) -> crate::support::Answer {
    let request = json!({ "token": token, "email": email, "password": PASSWORD });
    browser.post("/api/v1/operator/auth/first", &request).await
}

async fn first_link(test: &TestApp) -> String {
    let link = accounts::first_operator_link(&test.app, "a test")
        .await
        .unwrap()
        .unwrap();
    let (page, token) = link.url.split_once("#token=").unwrap();
    assert_eq!(page, "http://tenantry.localhost:8080/operator/first");
    token.to_owned()
}

#[tokio::test]
async fn the_first_operator_comes_by_a_link_and_no_second_one_does() {
    let test = TestApp::start().await;
    let (one, other) = (first_link(&test).await, first_link(&test).await);
    assert_eq!(
        test.count("select count(*) from one_time_tokens where length(hash) = 32")
            .await,
        2,
        "hashes only; replicas that start together each show one"
    );
    let weak = json!({ "token": one, "email": "root@example.org", "password": "password1234" });
    let answer = test.browser().post("/api/v1/operator/auth/first", &weak).await;
    assert_eq!(
        answer.json()["errors"][0]["code"],
        "password_too_weak",
        "{}",
        answer.text()
    );
    let unknown = introduce(&mut test.browser(), &"A".repeat(43), "root@example.org").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "link_unknown"));
    assert_eq!(
        introduce(&mut test.browser(), "short", "root@example.org").await.code(),
        "link_unknown"
    );

    let answer = introduce(&mut test.browser(), &one, "root@example.org").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        test.count("select count(*) from operators where role = 'admin'").await,
        1
    );
    for used in [&one, &other] {
        let answer = introduce(&mut test.browser(), used, "second@example.org").await;
        assert_eq!((answer.status, answer.code().as_str()), (410, "link_expired"));
    }
    assert!(
        accounts::first_operator_link(&test.app, "a test")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'first_operator.link_made' and actor = 'a test'")
            .await,
        2
    );
}

#[tokio::test]
async fn a_first_operators_link_lives_for_a_day_and_makes_one_operator() {
    let test = TestApp::start().await;
    let old = first_link(&test).await;
    test.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    assert_eq!(
        introduce(&mut test.browser(), &old, "root@example.org").await.code(),
        "link_expired"
    );
    let token = first_link(&test).await;
    let attempts = (0..20).map(|attempt| {
        let (mut browser, token) = (test.browser(), token.clone());
        async move {
            introduce(&mut browser, &token, &format!("root{attempt}@example.org"))
                .await
                .status
        }
    });
    let mut statuses = futures::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(test.count("select count(*) from operators").await, 1);
}
