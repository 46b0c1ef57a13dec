//! Somebody leaves.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::organizations::{self, CreateError};
use tenantry_domain::{display_name::DisplayName, ids::OrganizationId, mail::Message};

use crate::{
    support::{PASSWORD, TestApp},
    users::user_id,
};

const DELETE: &str = "/api/v1/me/delete";

/// What no endpoint does yet: everything that Ada owns goes to Grace.
const HAND_OVER: &str = "with handed as (
         update memberships set role = 'member'
         where user_id = (select id from users where email_normalized = 'ada@example.org') returning organization_id)
     insert into memberships (organization_id, user_id, role)
     select organization_id, u.id, 'owner' from handed, users u where u.email_normalized = 'grace@example.org'";

#[tokio::test]
async fn an_owner_is_told_what_keeps_them() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let answer = ada.browser.post(DELETE, &json!({ "email": "ada@example.org" })).await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "sole_owner"));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("Museum of Examples") && detail.contains(&ada.organization()),
        "{detail}"
    );
    let organizations = json!([{ "id": ada.organization(), "name": "Museum of Examples" }]);
    assert_eq!(
        answer.json()["organizations"],
        organizations,
        "for a page to lead there"
    );
    assert_eq!(ada.browser.get("/api/v1/session").await.status, 200);

    let other = ada.browser.post(DELETE, &json!({ "email": "grace@example.org" })).await;
    assert_eq!(other.json()["errors"][0]["code"], "email_mismatch");
    test.clock.advance(TimeDelta::minutes(11));
    let stale = ada.browser.post(DELETE, &json!({ "email": "ada@example.org" })).await;
    assert_eq!((stale.status, stale.code().as_str()), (403, "step_up_required"));
}

/// A request that was let in a moment before: it must not leave an organization that nobody owns.
#[tokio::test]
async fn who_is_erased_founds_nothing_any_more() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    test.person("grace").await;
    test.execute(HAND_OVER).await;
    let user = user_id(&ada.session).parse().unwrap();
    let answer = ada.browser.post(DELETE, &json!({ "email": "ada@example.org" })).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let organizations = "select count(*) from organizations";
    let before = test.count(organizations).await;
    let id = OrganizationId::from_uuid(uuid::Uuid::now_v7());
    let name = DisplayName::parse("Too late").unwrap();
    let refused = organizations::create(&test.app, id, user, &name, None).await;
    assert!(matches!(refused, Err(CreateError::NoSuchUser)), "{refused:?}");
    assert_eq!(test.count(organizations).await, before);
}

#[tokio::test]
async fn nothing_personal_is_left_and_the_address_is_free() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut elsewhere = test.browser();
    let credentials = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(elsewhere.post("/api/v1/auth/login", &credentials).await.status, 200);
    let asked = json!({ "email": "ada@example.org" });
    elsewhere.post("/api/v1/auth/forgot-password", &asked).await;
    ada.browser
        .post("/api/v1/me/email", &json!({ "email": "other@example.org" }))
        .await;
    test.person("grace").await;
    test.execute(HAND_OVER).await;

    let answer = ada.browser.post(DELETE, &json!({ "email": " ADA@example.org " })).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let mails = test.queued_mails().await;
    let last = mails.last().unwrap();
    assert_eq!(last.to, "ada@example.org", "the address that it had");
    assert!(
        matches!(&last.message, Message::AccountDeleted { name, .. } if name == "Ada Lovelace"),
        "{last:?}"
    );
    assert!(!ada.browser.cookies.contains_key("__Host-tenantry_session"));
    assert_eq!(elsewhere.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(
        elsewhere.post("/api/v1/auth/login", &credentials).await.code(),
        "invalid_credentials"
    );
    for (left, query) in [
        (
            "users",
            "select count(*) from users
             where email_normalized = 'ada@example.org' or (deleted_at is not null and name <> 'Deleted account')",
        ),
        (
            "sign-ups",
            "select count(*) from sign_ups where email_normalized = 'ada@example.org'",
        ),
        ("links", "select count(*) from one_time_tokens"),
        (
            "credentials",
            "select count(*) from credentials c join users u on u.id = c.user_id where u.deleted_at is not null",
        ),
        (
            "sessions",
            "select count(*) from sessions s join users u on u.id = s.user_id where u.deleted_at is not null",
        ),
        (
            "the key of addresses in the log",
            "select count(*) from personal_keys k join users u on u.id = k.user_id where u.deleted_at is not null",
        ),
        (
            "memberships",
            "select count(*) from memberships m join users u on u.id = m.user_id where u.deleted_at is not null",
        ),
    ] {
        assert_eq!(test.count(query).await, 0, "{left}");
    }
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'user.deleted'")
            .await,
        1
    );

    test.clock.advance(TimeDelta::hours(1));
    let again = test.person("ada").await;
    assert_ne!(again.session["user"]["id"], ada.session["user"]["id"], "somebody new");
}
