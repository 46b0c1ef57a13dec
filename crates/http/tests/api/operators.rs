//! Operators have a door, a cookie and an API of their own.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_app::accounts::{self, CreateOperatorError};
use tenantry_domain::accounts::{Email, OperatorRole, Password};

use crate::support::{Browser, TestApp};

const PASSWORD: &str = "seven quiet lanterns drift";

pub(crate) async fn operator(test: &TestApp, role: OperatorRole) -> Browser {
    let email = format!("{role}@example.org");
    let password = Password::choose(&PASSWORD.into()).unwrap();
    accounts::create_operator(&test.app, &Email::parse(&email).unwrap(), password, role, "test")
        .await
        .unwrap();
    let mut browser = test.browser();
    let request = json!({ "email": email, "password": PASSWORD });
    let answer = browser.post("/api/v1/operator/auth/login", &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    browser.remember_session(&answer);
    browser
}

#[tokio::test]
async fn an_operator_signs_in_and_out() {
    let test = TestApp::start().await;
    let mut browser = operator(&test, OperatorRole::Support).await;
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-tenantry_operator"]);
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
