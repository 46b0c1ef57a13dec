//! What is written down where its person and operators look for it.

use std::{pin::pin, time::Duration};

use serde_json::json;
use tenantry_domain::{accounts::OperatorRole, ids::UserId};
use tenantry_test_support::wait_for;

use crate::{
    operators,
    support::{PASSWORD, Person, TestApp},
    users::user_id,
};

/// The acts of this name that a user finds in their own log.
async fn own(test: &TestApp, person: &Person, action: &str) -> i64 {
    let user: UserId = user_id(&person.session).parse().unwrap();
    let mut tx = test.app.database.user(user).await.unwrap();
    sqlx::query_scalar("select count(*) from audit_events where action = $1 and sealed_personal is not null")
        .bind(action)
        .fetch_one(&mut tx)
        .await
        .unwrap()
}

async fn subjects(test: &TestApp, action: &str) -> Vec<String> {
    let mut tx = test.app.database.system("a test reads the log").await.unwrap();
    sqlx::query_scalar("select body ->> 'subject' from audit_events where action = $1 and body ? 'subject' order by id")
        .bind(action)
        .fetch_all(&mut tx)
        .await
        .unwrap()
}

#[tokio::test]
async fn failures_at_ones_own_door_are_found_in_ones_own_log() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let grace = test.person("grace").await;
    let path = "/api/v1/auth/login";
    for email in [
        "ada@example.org",
        "nobody@example.org",
        "nobody@example.org",
        "somebody@example.org",
    ] {
        let request = json!({ "email": email, "password": "wrong password" });
        assert_eq!(test.browser().post(path, &request).await.status, 401);
    }
    assert_eq!(own(&test, &ada, "session.refused").await, 1);
    assert_eq!(own(&test, &grace, "session.refused").await, 0);
    let subjects = subjects(&test, "session.refused").await;
    assert_eq!(
        subjects.len(),
        3,
        "where there is no account a hash stands in its place"
    );
    assert!(subjects[0] == subjects[1] && subjects[1] != subjects[2] && subjects[0].len() == 64);

    let (app, _) = ada.browser.sets_up_second_factor(&test).await;
    assert_eq!(own(&test, &ada, "second_factor.prepared").await, 1);
    let request = json!({ "email": "ada@example.org", "password": PASSWORD });
    let mut elsewhere = test.browser();
    let step = elsewhere.post(path, &request).await.json();
    let challenge = step["challenge"]["token"].as_str().unwrap();
    assert_eq!(elsewhere.answers(challenge, &app.wrong_code()).await.status, 401);
    assert_eq!(own(&test, &ada, "second_factor.refused").await, 1);
}

#[tokio::test]
async fn failures_at_the_operators_door_name_the_operator() {
    let test = TestApp::start().await;
    operators::operator(&test, OperatorRole::Support).await;
    assert_eq!(
        test.count(
            "select count(*) from audit_events where action = 'operator_second_factor.prepared' and actor like 'opr_%'"
        )
        .await,
        1
    );
    for email in ["support@example.org", "nobody@example.org"] {
        let request = json!({ "email": email, "password": "wrong password" });
        let answer = test.browser().post("/api/v1/operator/auth/login", &request).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(
        test.count(
            "select count(*) from audit_events where action = 'operator_session.refused' and target like 'opr_%'"
        )
        .await,
        1
    );
    assert_eq!(subjects(&test, "operator_session.refused").await.len(), 1);
}

/// The person is erased while their password is looked at: nothing is written down that would bring their key back.
#[tokio::test]
async fn who_is_erased_gets_no_new_entries() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut tx = test.app.database.system("a test erases somebody").await.unwrap();
    for statement in [
        "delete from credentials",
        "update users set deleted_at = now()",
        "delete from personal_keys where user_id in (select id from users)",
    ] {
        sqlx::query(statement).execute(&mut tx).await.unwrap();
    }
    let mut browser = test.browser();
    let request = json!({ "email": "ada@example.org", "password": PASSWORD });
    let mut attempt = pin!(browser.post("/api/v1/auth/login", &request));
    let waits = wait_for("an attempt that waits", Duration::from_secs(20), async || {
        let query = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
        (test.count(query).await > 0).then_some(())
    });
    tokio::select! {
        answer = &mut attempt => panic!("{} too soon", answer.status),
        () = waits => {}
    }
    tx.commit().await.unwrap();
    assert_eq!(attempt.await.status, 401);
    assert_eq!(subjects(&test, "session.refused").await.len(), 1);
    assert_eq!(
        test.count("select count(*) from personal_keys where user_id in (select id from users)")
            .await,
        0
    );
}
