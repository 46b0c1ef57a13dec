//! An operator looks through a customer's eyes: reading only, shortly, and where the customer can see it.

use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};
use tenantry_domain::accounts::OperatorRole;

use crate::{
    operators::operator,
    support::{Browser, TestApp},
    users::user_id,
};

const REASON: &str = "Ticket 4711: the invoice is missing";

/// A browser that holds both cookies and the token of the customer's session.
pub(crate) async fn look(operator: &Browser, user: &str) -> Browser {
    let mut browser = operator.clone();
    let path = format!("/api/v1/operator/users/{user}/view-as");
    let answer = browser.post(&path, &json!({ "reason": REASON })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["url"], "http://tenantry.localhost:8080/");
    let session = browser.get("/api/v1/session").await;
    browser.remember_session(&session);
    browser
}

#[tokio::test]
async fn an_operator_sees_what_the_customer_sees() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let support = operator(&test, OperatorRole::Support).await;
    let mut looking = look(&support, &user_id(&ada.session)).await;
    let session = looking.get("/api/v1/session").await.json();
    assert_eq!(session["user"], ada.session["user"]);
    assert_eq!(session["impersonation"]["operator_email"], "support@example.org");
    assert_eq!(session["impersonation"]["reason"], REASON);
    assert_eq!(session["impersonation"]["expires_at"], session["expires_at"]);
    let organization = format!("/api/v1/organizations/{}", ada.organization());
    for path in [
        "/api/v1/organizations",
        &organization,
        &format!("{organization}/tenants"),
    ] {
        assert_eq!(looking.get(path).await.status, 200, "{path}");
        let head = looking.send(Method::HEAD, path, &[], Vec::new()).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{path}");
    }
    assert_eq!(
        looking.get("/api/v1/operator/session").await.status,
        200,
        "their own session stays"
    );
    let own = ada.browser.clone().get("/api/v1/session").await.json();
    assert_eq!(own["impersonation"], Value::Null);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let support = operator(&test, OperatorRole::Support).await;
    let looking = look(&support, &user_id(&ada.session)).await;
    let body = json!({ "name": "Another museum" });
    for headers in [&[][..], &[("idempotency-key", "a-key")][..]] {
        let answer = looking.clone().post_with("/api/v1/organizations", &body, headers).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "impersonation_read_only")
        );
    }
    assert_eq!(test.count("select count(*) from organizations").await, 1);

    // An answer that the customer was given under a key is not repeated to the operator.
    let mut own = ada.browser.clone();
    let key = [("idempotency-key", "the-customers-key")];
    assert_eq!(own.post_with("/api/v1/organizations", &body, &key).await.status, 201);
    let answer = looking.clone().post_with("/api/v1/organizations", &body, &key).await;
    assert_eq!(answer.code(), "impersonation_read_only");
}

#[tokio::test]
async fn a_look_ends_after_half_an_hour_however_much_it_is_used() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let support = operator(&test, OperatorRole::Support).await;
    let mut looking = look(&support, &user_id(&ada.session)).await;
    for _ in 0..29 {
        test.clock.advance(TimeDelta::minutes(1));
        assert_eq!(looking.get("/api/v1/session").await.status, 200);
    }
    test.clock.advance(TimeDelta::seconds(61));
    assert_eq!(looking.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(looking.get("/api/v1/operator/session").await.status, 200);
    assert_eq!(ada.browser.clone().get("/api/v1/session").await.status, 200);
}

#[tokio::test]
async fn a_look_ends_when_its_operator_signs_out_and_is_listed_as_what_it_is() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut support = operator(&test, OperatorRole::Support).await;
    let mut looking = look(&support, &user_id(&ada.session)).await;
    let listed = ada.browser.get("/api/v1/me/sessions").await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["kind"], "support");
    assert_eq!((&items[0]["address"], &items[0]["device"]), (&Value::Null, &json!("")));
    assert_eq!(
        (&items[1]["kind"], &items[1]["address"]),
        (&json!("browser"), &json!("203.0.113.7"))
    );
    assert_eq!(
        support.post("/api/v1/operator/auth/logout", &Value::Null).await.status,
        204
    );
    assert_eq!(looking.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(ada.browser.get("/api/v1/session").await.status, 200);
}

#[tokio::test]
async fn leaving_ends_a_look_and_nothing_else() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let support = operator(&test, OperatorRole::Support).await;
    let mut looking = look(&support, &user_id(&ada.session)).await;
    let held = looking.clone();
    assert_eq!(looking.post("/api/v1/auth/logout", &Value::Null).await.status, 204);
    assert_eq!(held.clone().get("/api/v1/session").await.status, 401);
    assert_eq!(looking.get("/api/v1/operator/session").await.status, 200);
    assert_eq!(ada.browser.clone().get("/api/v1/session").await.status, 200);
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'session.ended' and actor like 'opr_%'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_look_ends_with_the_operators_rights() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let support = operator(&test, OperatorRole::Support).await;
    for statement in [
        "update operators set disabled_at = now()",
        "update operators set disabled_at = null, role = 'viewer'",
    ] {
        test.execute("update operators set disabled_at = null, role = 'support'")
            .await;
        let mut looking = look(&support, &user_id(&ada.session)).await;
        test.execute(statement).await;
        assert_eq!(looking.get("/api/v1/session").await.status, 401, "{statement}");
    }
}

#[tokio::test]
async fn a_look_takes_a_role_a_reason_and_somebody_to_look_as() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let path = format!("/api/v1/operator/users/{}/view-as", user_id(&ada.session));
    let mut viewer = operator(&test, OperatorRole::Viewer).await;
    assert_eq!(
        viewer.post(&path, &json!({ "reason": REASON })).await.code(),
        "role_too_small"
    );
    let mut support = operator(&test, OperatorRole::Support).await;
    for (reason, code) in [
        (String::new(), "required"),
        ("  ".to_owned(), "required"),
        ("a".repeat(501), "too_long"),
        ("fake\nsession.ended by the customer".to_owned(), "control_character"),
        ("a\u{202e}b".to_owned(), "control_character"),
    ] {
        let answer = support.post(&path, &json!({ "reason": reason })).await;
        assert_eq!(answer.code(), "validation_failed");
        assert_eq!(answer.json()["errors"][0]["pointer"], "/reason");
        assert_eq!(answer.json()["errors"][0]["code"], code, "{reason:?}");
    }
    let nobody = "/api/v1/operator/users/usr_01jd3r8v6yf3qb5c1zk3s9x0aa/view-as";
    assert_eq!(
        support.post(nobody, &json!({ "reason": REASON })).await.code(),
        "not_found"
    );
    assert_eq!(
        test.count("select count(*) from sessions where impersonator_id is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn the_customer_and_each_of_their_organizations_can_read_of_it() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let second = ada
        .browser
        .post("/api/v1/organizations", &json!({ "name": "Second" }))
        .await;
    assert_eq!(second.status, 201);
    test.person("grace").await;
    let support = operator(&test, OperatorRole::Support).await;
    look(&support, &user_id(&ada.session)).await;
    assert_eq!(
        test.count(
            "select count(*) from audit_events a join memberships m using (organization_id, user_id)
             where a.action = 'impersonation.started' and a.actor like 'opr_%' and a.target like 'ses_%'
                 and a.body ->> 'reason' = 'Ticket 4711: the invoice is missing'"
        )
        .await,
        2,
        "in both organizations"
    );
    assert_eq!(
        test.count(
            "select count(*) from audit_events a join users u on u.id = a.user_id
             where a.action = 'impersonation.started' and a.organization_id is null
                 and u.email_normalized = 'ada@example.org'"
        )
        .await,
        1,
        "in the person's own log"
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'impersonation.started'")
            .await,
        3,
        "and nobody else's"
    );
}

#[tokio::test]
async fn a_look_is_shown_as_support_and_is_no_device_of_the_customers() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let id = user_id(&ada.session);
    let mut support = operator(&test, OperatorRole::Support).await;
    look(&support, &id).await;
    let sessions = support
        .get(&format!("/api/v1/operator/users/{id}/sessions"))
        .await
        .json();
    let kinds: Vec<&str> = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["support", "browser"]);
    assert_eq!(sessions["items"][0]["operator_email"], "support@example.org");
    assert_eq!(sessions["items"][1]["operator_email"], Value::Null);
    assert_eq!(
        test.count("select count(*) from sessions where impersonator_id is not null and proved_at > '2000-01-01'")
            .await,
        0,
        "it never proved to be the customer"
    );
}
