//! Signing in and out, what failures cost, and how long a session lasts.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, TestApp};

async fn login(browser: &mut Browser, email: &str, password: &str) -> crate::support::Answer {
    let answer = browser
        .post("/api/v1/auth/login", &json!({ "email": email, "password": password }))
        .await;
    browser.remember_session(&answer);
    answer
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    let mut browser = test.browser();
    let answer = login(&mut browser, " ADA@example.org ", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["result"], "session");
    assert_eq!(answer.json()["session"]["user"], person.session["user"]);
    let cookie = answer.header("set-cookie");
    for attribute in [
        "__Host-tenantry_session=",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(browser.get("/api/v1/session").await.status, 200);

    let stolen = browser.clone();
    let answer = browser.post("/api/v1/auth/logout", &Value::Null).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-tenantry_device"]);
    assert_eq!(
        stolen.clone().get("/api/v1/session").await.code(),
        "unauthenticated",
        "the secret is worthless now"
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_the_same() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let wrong = login(&mut test.browser(), "ada@example.org", "violet tractor hums at dusk").await;
    let unknown = login(&mut test.browser(), "grace@example.org", "violet tractor hums at dusk").await;
    let operator_is_no_user = login(&mut test.browser(), "root@example.org", PASSWORD).await;
    let without_id = |answer: &crate::support::Answer| {
        let mut problem = answer.json();
        problem["request_id"] = Value::Null;
        (answer.status, problem)
    };
    assert_eq!((wrong.status, wrong.code().as_str()), (401, "invalid_credentials"));
    assert_eq!(without_id(&wrong), without_id(&unknown));
    assert_eq!(without_id(&wrong), without_id(&operator_is_no_user));
}

#[tokio::test]
async fn failures_cost_growing_pauses_and_success_forgets_them() {
    let test = TestApp::start().await;
    test.person("ada").await;
    for _ in 0..5 {
        assert_eq!(
            login(&mut test.browser(), "ada@example.org", "wrong password")
                .await
                .code(),
            "invalid_credentials"
        );
    }
    let refused = login(&mut test.browser_from([198, 51, 100, 1]), "ada@example.org", PASSWORD).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(refused.header("retry-after"), "1");
    test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", "wrong password")
            .await
            .code(),
        "invalid_credentials"
    );
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", PASSWORD)
            .await
            .header("retry-after"),
        "2"
    );
    assert_eq!(
        login(&mut test.browser(), "grace@example.org", PASSWORD).await.status,
        401,
        "another account is not paused"
    );

    test.clock.advance(TimeDelta::seconds(2));
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", PASSWORD).await.status,
        200
    );
    assert_eq!(
        login(&mut test.browser(), "ada@example.org", "wrong password")
            .await
            .status,
        401,
        "counted from one again"
    );
}

#[tokio::test]
async fn guesses_at_once_are_all_counted() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let guesses = (0..30).map(|_| {
        let mut browser = test.browser();
        async move { login(&mut browser, "ada@example.org", "wrong password").await.status }
    });
    let statuses = futures::future::join_all(guesses).await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 6, "{looked_at} of 30 guesses were looked at");
    assert!(
        statuses.iter().all(|status| matches!(status, 401 | 429)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn one_address_is_paused_for_all_accounts() {
    let test = TestApp::start().await;
    for guess in 0..50 {
        let answer = login(
            &mut test.browser_from([198, 51, 100, 9]),
            &format!("u{guess}@example.org"),
            "wrong password",
        )
        .await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(
        login(
            &mut test.browser_from([198, 51, 100, 9]),
            "x@example.org",
            "wrong password"
        )
        .await
        .status,
        429
    );
    assert_eq!(
        login(
            &mut test.browser_from([198, 51, 100, 10]),
            "x@example.org",
            "wrong password"
        )
        .await
        .status,
        401
    );
}

#[tokio::test]
async fn a_session_planted_before_signing_in_stays_worthless() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut victim = test.browser();
    let planted = "B".repeat(43);
    victim
        .cookies
        .insert("__Host-tenantry_session".to_owned(), planted.clone());
    assert_eq!(login(&mut victim, "ada@example.org", PASSWORD).await.status, 200);
    assert_ne!(victim.cookies["__Host-tenantry_session"], planted);
    let mut attacker = test.browser();
    attacker.cookies.insert("__Host-tenantry_session".to_owned(), planted);
    assert_eq!(attacker.get("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn sessions_end_when_idle_and_when_old() {
    let test = TestApp::start().await;
    let mut idle = test.person("ada").await.browser;
    let mut used = idle.clone();
    test.clock.advance(TimeDelta::days(13));
    assert_eq!(used.get("/api/v1/session").await.status, 200);
    test.clock.advance(TimeDelta::days(13));
    assert_eq!(used.get("/api/v1/session").await.status, 200, "use keeps it alive");
    test.clock.advance(TimeDelta::days(5));
    assert_eq!(
        used.get("/api/v1/session").await.status,
        401,
        "but not for longer than a month"
    );

    let answer = login(&mut idle, "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status, 200);
    test.clock.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
    assert_eq!(idle.get("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn what_happens_at_the_door_is_written_down_without_secrets() {
    let test = TestApp::start().await;
    let person = test.person("ada").await;
    login(&mut test.browser(), &person.email, "wrong password").await;
    login(&mut test.browser(), &person.email, PASSWORD).await;
    for (action, query) in [
        (
            "sign_up.requested",
            "select count(*) from audit_events where action = 'sign_up.requested'",
        ),
        (
            "user.created",
            "select count(*) from audit_events where action = 'user.created'",
        ),
        (
            "organization.created",
            "select count(*) from audit_events where action = 'organization.created'",
        ),
        (
            "session.refused",
            "select count(*) from audit_events where action = 'session.refused'",
        ),
    ] {
        assert_eq!(test.count(query).await, 1, "{action}");
    }
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.started'")
            .await,
        2
    );
    assert_eq!(
        test.count("select count(*) from audit_events where body::text || target || actor ~ '@|argon2|violet'")
            .await,
        0,
        "neither addresses nor passwords stand in the log",
    );
}
