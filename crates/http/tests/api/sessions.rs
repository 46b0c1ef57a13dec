//! People see where they are signed in, and end what they do not want.

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use tenantry_domain::{accounts::OperatorRole, mail::Message};

use crate::{
    operators::operator,
    support::{Browser, PASSWORD, TestApp},
    users::user_id,
};

async fn sign_in(test: &TestApp, email: &str) -> Browser {
    let mut browser = test.browser_from([198, 51, 100, 4]);
    let answer = browser
        .post("/api/v1/auth/login", &json!({ "email": email, "password": PASSWORD }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    browser.remember_session(&answer);
    browser
}

async fn listed(browser: &mut Browser) -> Vec<Value> {
    browser.get("/api/v1/me/sessions").await.json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

async fn end(browser: &mut Browser, id: &Value) -> crate::support::Answer {
    let path = format!("/api/v1/me/sessions/{}", id.as_str().unwrap());
    browser.send(Method::DELETE, &path, &[], Vec::new()).await
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner_alone() {
    let test = TestApp::start().await;
    let mut first = test.person("ada").await.browser;
    let mut second = sign_in(&test, "ada@example.org").await;
    let mut grace = test.person("grace").await.browser;

    let sessions = listed(&mut first).await;
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["address"], "198.51.100.4");
    assert_eq!(sessions[0]["kind"], "browser");
    let current: Vec<&Value> = sessions.iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [&json!(false), &json!(true)], "newest first");
    let page = first.get("/api/v1/me/sessions?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = first
        .get(&format!("/api/v1/me/sessions?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (&rest["items"][0]["id"], &rest["next_cursor"]),
        (&sessions[1]["id"], &Value::Null)
    );

    let foreign = end(&mut grace, &sessions[0]["id"]).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (404, "not_found"));
    assert_eq!(second.get("/api/v1/session").await.status, 200);
    assert_eq!(end(&mut first, &sessions[0]["id"]).await.status, 204);
    assert_eq!(second.get("/api/v1/session").await.status, 401, "at once");
    assert_eq!(end(&mut first, &sessions[0]["id"]).await.status, 404, "it has ended");
    assert_eq!(listed(&mut first).await.len(), 1);
    assert_eq!(end(&mut first, &sessions[1]["id"]).await.status, 204);
    assert_eq!(first.get("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn all_others_end_together() {
    let test = TestApp::start().await;
    let mut first = test.person("ada").await.browser;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(sign_in(&test, "ada@example.org").await);
    }
    let mut grace = test.person("grace").await.browser;
    let answer = first.post("/api/v1/me/sessions/end-others", &Value::Null).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    for other in &mut others {
        assert_eq!(other.get("/api/v1/session").await.status, 401);
    }
    assert_eq!(first.get("/api/v1/session").await.status, 200);
    assert_eq!(grace.get("/api/v1/session").await.status, 200);
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'sessions.others_ended'")
            .await,
        1
    );
}

#[tokio::test]
async fn ending_ones_own_sessions_takes_no_more_than_ones_own_rights() {
    let test = TestApp::start().await;
    let mut first = test.person("ada").await.browser;
    let mut second = sign_in(&test, "ada@example.org").await;
    let mut third = sign_in(&test, "ada@example.org").await;
    // Who sees every session may change none from here on: what still ends did so as its owner.
    test.as_owner("revoke update on sessions from tenantry_system").await;
    let newest = listed(&mut first).await[0]["id"].clone();
    assert_eq!(end(&mut first, &newest).await.status, 204);
    assert_eq!(third.get("/api/v1/session").await.status, 401);
    let others = first.post("/api/v1/me/sessions/end-others", &Value::Null).await;
    assert_eq!(others.status, 204, "{}", others.text());
    assert_eq!(second.get("/api/v1/session").await.status, 401);
    assert_eq!(first.post("/api/v1/auth/logout", &Value::Null).await.status, 204);
    assert_eq!(first.get("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn programs_are_told_of_and_stay_in_the_lists_while_they_live() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut program = test.browser();
    let credentials = json!({ "email": "ada@example.org", "password": PASSWORD, "grant": "token" });
    for _ in 0..2 {
        let answer = program.post("/api/v1/auth/login", &credentials).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let mails = test.queued_mails().await;
    let told = mails
        .iter()
        .filter(|mail| matches!(mail.message, Message::NewDevice { .. }) && mail.to == "ada@example.org");
    assert_eq!(told.count(), 2, "of each: nothing tells one program from another");

    // Longer than a browser may be idle, shorter than a program may.
    test.clock.advance(TimeDelta::days(20));
    let answer = test.browser().post("/api/v1/auth/login", &credentials).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    ada.browser = sign_in(&test, "ada@example.org").await;
    let kinds = |sessions: &[Value]| {
        let kinds = sessions
            .iter()
            .map(|session| session["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let sessions = listed(&mut ada.browser).await;
    assert_eq!(kinds(&sessions), ["browser", "token", "token", "token"]);
    let ends = sessions[3]["expires_at"]
        .as_str()
        .unwrap()
        .parse::<DateTime<Utc>>()
        .unwrap();
    let left = ends - test.now() - TimeDelta::days(10);
    assert!(left.abs() < TimeDelta::minutes(1), "thirty days after it was used last");

    let mut admin = operator(&test, OperatorRole::Admin).await;
    let path = format!("/api/v1/operator/users/{}/sessions", user_id(&ada.session));
    let seen = admin.get(&path).await.json()["items"].as_array().unwrap().clone();
    assert_eq!(kinds(&seen), kinds(&sessions));
    assert_eq!(seen[3]["expires_at"], sessions[3]["expires_at"]);
    assert_eq!(end(&mut ada.browser, &sessions[3]["id"]).await.status, 204);
}
