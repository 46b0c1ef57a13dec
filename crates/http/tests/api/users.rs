//! Operators look after people: find them, see their sessions, end one; and each look is written down.

use http::Method;
use serde_json::Value;
use tenantry_domain::accounts::OperatorRole;

use crate::{
    operators::operator,
    support::{Browser, PASSWORD, TestApp},
};

async fn found(browser: &mut Browser, query: &str) -> Vec<String> {
    let answer = browser.get(&format!("/api/v1/operator/users{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    emails(&answer.json())
}

fn emails(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["email"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_any_word() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    test.person("grace.hopper").await;
    test.execute("update users set name = 'Grace O''Brien-Hopper' where email_normalized like 'grace%'")
        .await;
    let mut viewer = operator(&test, OperatorRole::Viewer).await;
    let grace = "grace.hopper@example.org";
    assert_eq!(found(&mut viewer, "").await, [grace, "ada@example.org"], "newest first");
    for search in [
        "hop",
        "HOPPER",
        "brien",
        "grace.hop",
        "o'brien",
        "grace@example",
        "gra%20bri",
    ] {
        assert_eq!(
            found(&mut viewer, &format!("?search={search}")).await,
            [grace],
            "{search}"
        );
    }
    assert_eq!(found(&mut viewer, "?search=example.org").await.len(), 2);
    assert_eq!(
        found(&mut viewer, &format!("?search={}", user_id(&ada.session))).await,
        ["ada@example.org"]
    );
    for search in [
        "opper",
        "zoe",
        "%27%29%20%7C%20%21%26",
        "usr_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "%25",
    ] {
        assert!(
            found(&mut viewer, &format!("?search={search}")).await.is_empty(),
            "{search}"
        );
    }
    let first = viewer.get("/api/v1/operator/users?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        found(&mut viewer, &format!("?limit=1&cursor={cursor}")).await,
        ["ada@example.org"]
    );
    let elsewhere = viewer
        .get(&format!("/api/v1/operator/users?search=ada&cursor={cursor}"))
        .await;
    assert_eq!(elsewhere.code(), "invalid_cursor");
}

pub(crate) fn user_id(session: &Value) -> String {
    session["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_is_shown_with_organizations_and_sessions() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let mut support = operator(&test, OperatorRole::Support).await;
    let path = format!("/api/v1/operator/users/{}", user_id(&ada.session));
    let shown = support.get(&path).await.json();
    assert_eq!(shown["email"], "ada@example.org");
    assert_eq!(shown["organizations"], 1);
    assert_eq!(shown["memberships"][0]["id"], ada.organization());
    assert_eq!(shown["memberships"][0]["role"], "owner");
    assert_eq!(shown["second_factor"], false);

    let sessions = support.get(&format!("{path}/sessions")).await.json();
    let session = &sessions["items"][0];
    assert_eq!(
        (session["kind"].as_str(), session["address"].as_str()),
        (Some("browser"), Some("203.0.113.7"))
    );
    let one = format!("{path}/sessions/{}", session["id"].as_str().unwrap());

    let mut viewer = operator(&test, OperatorRole::Viewer).await;
    let refused = viewer.send(Method::DELETE, &one, &[], Vec::new()).await;
    assert_eq!(refused.code(), "role_too_small");
    assert_eq!(ada.browser.clone().get("/api/v1/session").await.status, 200);
    assert_eq!(support.send(Method::DELETE, &one, &[], Vec::new()).await.status, 204);
    assert_eq!(ada.browser.clone().get("/api/v1/session").await.status, 401);
    let again = support.send(Method::DELETE, &one, &[], Vec::new()).await;
    assert_eq!(again.code(), "not_found");
    assert_eq!(
        support.get(&format!("{path}/sessions")).await.json()["items"],
        Value::Array(vec![])
    );

    let grace = test.person("grace").await;
    let crossed = one.replace(&user_id(&ada.session), &user_id(&grace.session));
    assert_eq!(
        support.send(Method::DELETE, &crossed, &[], Vec::new()).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn every_look_at_a_person_is_written_down() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let id = user_id(&ada.session);
    let mut viewer = operator(&test, OperatorRole::Viewer).await;
    for path in ["?search=ada@example.org", &format!("/{id}"), &format!("/{id}/sessions")] {
        assert_eq!(viewer.get(&format!("/api/v1/operator/users{path}")).await.status, 200);
    }
    for (action, query) in [
        (
            "users.listed",
            "select count(*) from audit_events where action = 'users.listed' and actor like 'opr_%'
                 and body -> 'users' ->> 0 like 'usr_%' and sealed_personal is not null",
        ),
        (
            "user.viewed",
            "select count(*) from audit_events a join users u on u.id = a.user_id where action = 'user.viewed'",
        ),
        (
            "user.sessions_viewed",
            "select count(*) from audit_events a join users u on u.id = a.user_id where action = 'user.sessions_viewed'",
        ),
    ] {
        assert_eq!(test.count(query).await, 1, "{action}");
    }
    assert_eq!(
        test.count("select count(*) from audit_events where (body::text || target || actor) ~ '@'")
            .await,
        0,
        "what they typed is an address and stays out of the log"
    );
}

#[tokio::test]
async fn a_deleted_account_is_nobody() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let id = user_id(&ada.session);
    test.execute("update users set deleted_at = now()").await;
    let mut support = operator(&test, OperatorRole::Support).await;
    assert!(found(&mut support, "").await.is_empty());
    assert!(found(&mut support, "?search=ada").await.is_empty());
    for path in [format!("/{id}"), format!("/{id}/sessions")] {
        assert_eq!(
            support.get(&format!("/api/v1/operator/users{path}")).await.code(),
            "not_found"
        );
    }
    let login = serde_json::json!({ "email": ada.email, "password": PASSWORD });
    assert_eq!(test.browser().post("/api/v1/auth/login", &login).await.status, 401);
}
