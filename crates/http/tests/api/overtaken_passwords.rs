//! A password that is replaced while somebody's guess at it is hashed opens nothing any more: what was compared is
//! compared again under the lock of what is acted on.

use std::{future::Future, pin::pin, time::Duration};

use serde_json::json;
use tenantry_app::accounts::{self, PasswordHasher, PasswordParameters};
use tenantry_domain::{
    accounts::{Email, OperatorRole, Password},
    mail::Message,
};
use tenantry_postgres::SystemTx;
use tenantry_test_support::wait_for;

use crate::support::{Answer, PASSWORD, TestApp};

const NEXT: &str = "purple anchor sings at dawn";

/// A hash of a password; a cheap one is made again by whoever signs in with it.
async fn hash(password: &str, memory_kib: u32) -> String {
    let parameters = PasswordParameters {
        memory_kib,
        iterations: 1,
        lanes: 1,
        concurrency: 1,
    };
    PasswordHasher::new(parameters)
        .unwrap()
        .hash(Password::choose(&password.into()).unwrap())
        .await
        .unwrap()
}

async fn replace(test: &TestApp, statement: &'static str, hash: &str) -> SystemTx {
    let mut tx = test.app.database.system("a test replaces a password").await.unwrap();
    let replaced = sqlx::query(statement).bind(hash).execute(&mut tx).await.unwrap();
    assert_eq!(replaced.rows_affected(), 1);
    tx
}

/// What an attempt gets that has read the password before it is replaced, and comes to act on it after.
async fn overtaken(test: &TestApp, statement: &'static str, attempt: impl Future<Output = Answer>) -> Answer {
    let tx = replace(test, statement, &hash(NEXT, 64).await).await;
    let mut attempt = pin!(attempt);
    let waits = wait_for(
        "an attempt that waits for the password",
        Duration::from_secs(20),
        async || {
            let query = "select count(*) from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'";
            (test.count(query).await > 0).then_some(())
        },
    );
    tokio::select! {
        answer = &mut attempt => return answer,
        () = waits => {}
    }
    tx.commit().await.unwrap();
    attempt.await
}

/// The token of a new link for a new password.
async fn link(test: &TestApp, email: &str) -> String {
    let path = "/api/v1/auth/forgot-password";
    let answer = test.browser().post(path, &json!({ "email": email })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let mails = test.queued_mails().await;
    let Message::ResetPassword { link } = &mails.last().unwrap().message else {
        panic!("{mails:?}")
    };
    let (_, rest) = link.split_once("#token=").unwrap();
    rest.split_once('&').unwrap().0.to_owned()
}

/// Runs two attempts that have both come as far as somebody's password, one after the other, when it can be changed.
async fn together(
    test: &TestApp,
    first: impl Future<Output = Answer>,
    second: impl Future<Output = Answer>,
) -> (Answer, Answer) {
    let mut tx = test.app.database.system("a test holds a password").await.unwrap();
    sqlx::query("select from credentials for update")
        .execute(&mut tx)
        .await
        .unwrap();
    let waiting = async |attempts: i64| {
        wait_for("attempts that wait", Duration::from_secs(20), async || {
            let query = "select count(*) from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'";
            (test.count(query).await == attempts).then_some(())
        })
        .await;
    };
    let mut first = pin!(first);
    tokio::select! {
        answer = &mut first => panic!("it did not wait: {}", answer.text()),
        () = waiting(1) => {}
    }
    let mut both = pin!(futures::future::join(first, second));
    tokio::select! {
        _ = &mut both => panic!("they did not wait"),
        () = waiting(2) => {}
    }
    tx.commit().await.unwrap();
    both.await
}

#[tokio::test]
async fn of_two_links_of_one_account_at_once_one_sets_the_password() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let links = [
        link(&test, "ada@example.org").await,
        link(&test, "ada@example.org").await,
    ];
    let follow = async |token: &str| {
        let request = json!({ "token": token, "password": NEXT });
        test.browser().post("/api/v1/auth/reset-password", &request).await
    };
    let (one, other) = together(&test, follow(&links[0]), follow(&links[1])).await;
    assert_eq!(
        (one.status, other.status),
        (204, 410),
        "{} {}",
        one.text(),
        other.text()
    );
}

#[tokio::test]
async fn a_change_of_the_password_and_a_link_at_once_wait_for_each_other() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let token = link(&test, "ada@example.org").await;
    let change = json!({ "current_password": PASSWORD, "password": NEXT });
    let reset = json!({ "token": token, "password": NEXT });
    let mut stranger = test.browser();
    let (changed, reset) = together(
        &test,
        ada.post("/api/v1/me/password", &change),
        stranger.post("/api/v1/auth/reset-password", &reset),
    )
    .await;
    assert_eq!(
        (changed.status, reset.status),
        (204, 410),
        "{} {}",
        changed.text(),
        reset.text()
    );
}

const OF_A_USER: &str = "update credentials set password_hash = $1";
const OF_AN_OPERATOR: &str = "update operators set password_hash = $1";

#[tokio::test]
async fn no_session_begins_with_a_password_that_was_replaced_meanwhile() {
    let test = TestApp::start().await;
    test.person("ada").await;
    for grant in ["session", "token"] {
        replace(&test, OF_A_USER, &hash(PASSWORD, 64).await)
            .await
            .commit()
            .await
            .unwrap();
        let sessions = test.count("select count(*) from sessions").await;
        let mut browser = test.browser();
        let request = json!({ "email": "ada@example.org", "password": PASSWORD, "grant": grant });
        let answer = overtaken(&test, OF_A_USER, browser.post("/api/v1/auth/login", &request)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_credentials"),
            "{grant}"
        );
        assert_eq!(test.count("select count(*) from sessions").await, sessions, "{grant}");
    }
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.refused'")
            .await,
        2
    );
}

#[tokio::test]
async fn no_session_begins_for_somebody_who_is_erased_meanwhile() {
    const ERASURE: &str =
        "update users set deleted_at = now(), email_normalized = 'deleted-' || id || '@deleted.invalid'
                           where $1::text is not null";
    let test = TestApp::start().await;
    test.person("ada").await;
    let sessions = test.count("select count(*) from sessions").await;
    let mut browser = test.browser();
    let request = json!({ "email": "ada@example.org", "password": PASSWORD });
    let answer = overtaken(&test, ERASURE, browser.post("/api/v1/auth/login", &request)).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_credentials"));
    assert_eq!(test.count("select count(*) from sessions").await, sessions);
}

#[tokio::test]
async fn a_hash_that_is_made_again_does_not_bring_the_old_password_back() {
    let test = TestApp::start().await;
    test.person("ada").await;
    replace(&test, OF_A_USER, &hash(PASSWORD, 32).await)
        .await
        .commit()
        .await
        .unwrap();
    let mut browser = test.browser();
    let login = |password: &str| json!({ "email": "ada@example.org", "password": password });
    let answer = overtaken(&test, OF_A_USER, browser.post("/api/v1/auth/login", &login(PASSWORD))).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    let mut browser = test.browser();
    assert_eq!(browser.post("/api/v1/auth/login", &login(PASSWORD)).await.status, 401);
    assert_eq!(browser.post("/api/v1/auth/login", &login(NEXT)).await.status, 200);
}

#[tokio::test]
async fn a_password_that_was_replaced_meanwhile_proves_nothing() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let request = json!({ "password": PASSWORD });
    let answer = overtaken(&test, OF_A_USER, ada.post("/api/v1/auth/step-up", &request)).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_credentials"));
}

#[tokio::test]
async fn an_operator_gets_no_further_with_a_password_that_was_replaced_meanwhile() {
    let test = TestApp::start().await;
    let email = Email::parse("admin@example.org").unwrap();
    let password = Password::choose(&PASSWORD.into()).unwrap();
    accounts::create_operator(&test.app, &email, password, OperatorRole::Admin, "test")
        .await
        .unwrap();
    let mut browser = test.browser();
    let request = json!({ "email": "admin@example.org", "password": PASSWORD });
    let path = "/api/v1/operator/auth/login";
    let answer = overtaken(&test, OF_AN_OPERATOR, browser.post(path, &request)).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_credentials"));
    assert_eq!(test.count("select count(*) from sign_in_challenges").await, 0);
}
