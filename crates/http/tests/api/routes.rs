//! Every operation of the API against callers and bodies that it must refuse. The list comes from the description of the
//! API, so that a new route is tested from its first day; what a body of it looks like stands in the table below.

use http::Method;
use serde_json::{Value, json};
use tenantry_domain::accounts::OperatorRole;

use crate::{
    impersonation::look,
    operators::operator,
    support::{Browser, TestApp},
    users::user_id,
};

/// An operation of the API.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) scheme: Option<String>,
    has_body: bool,
}

/// Operations that anybody may call without a session. A new one must be put here by somebody who means it.
const PUBLIC: &[&str] = &[
    "get_meta",
    "register",
    "verify_email",
    "read_sign_up_link",
    "resend_verification",
    "forgot_password",
    "reset_password",
    "confirm_email",
    "read_new_email_link",
    "login",
    "login_second_factor",
    "refresh",
    "password_strength",
    "operator_login",
    "operator_login_second_factor",
    "operator_set_up_totp",
    "operator_confirm_totp",
    "operator_first",
    "list_products",
];

pub(crate) fn operations() -> Vec<Operation> {
    let document = tenantry_http::openapi_document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scheme = operation["security"][0].as_object().and_then(|schemes| {
                schemes
                    .keys()
                    .find(|scheme| matches!(scheme.as_str(), "session" | "operator"))
                    .cloned()
            });
            found.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                scheme,
                has_body: operation["requestBody"]["content"].get("application/json").is_some(),
            });
        }
    }
    found
}

/// The path with things that exist for nobody.
pub(crate) fn filled(path: &str, organization: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{organization}" => organization.to_owned(),
            "{tenant}" => "ten_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            "{operation}" => "op_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            "{checkout}" => "chk_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            "{event}" => "evt_nothing".to_owned(),
            "{user}" => "usr_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            "{session}" => "ses_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            "{operator}" => "opr_01jd3r8v6yf3qb5c1zk3s9x0aa".to_owned(),
            other => other.trim_matches(['{', '}']).to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

async fn send(
    browser: &mut Browser,
    operation: &Operation,
    path: &str,
    content_type: &str,
    body: Vec<u8>,
) -> crate::support::Answer {
    browser
        .send(operation.method.clone(), path, &[("content-type", content_type)], body)
        .await
}

#[tokio::test]
async fn every_operation_refuses_whom_and_what_it_must() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let organization = ada.organization();
    let admin = operator(&test, OperatorRole::Admin).await;
    let mut bodies = 0;
    for operation in operations() {
        let name = &operation.id;
        let path = filled(&operation.path, &organization);
        let caller = match operation.scheme.as_deref() {
            Some("session") => &ada.browser,
            Some("operator") => &admin,
            _ => {
                assert!(
                    PUBLIC.contains(&name.as_str()),
                    "{name} asks for no session: is that meant?"
                );
                &ada.browser
            }
        };
        if operation.scheme.is_some() {
            let answer = send(
                &mut test.browser(),
                &operation,
                &path,
                "application/json",
                b"{}".to_vec(),
            )
            .await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "unauthenticated"),
                "{name} without a session"
            );
            let mut wrong_door = if operation.scheme.as_deref() == Some("session") {
                admin.clone()
            } else {
                ada.browser.clone()
            };
            let answer = send(&mut wrong_door, &operation, &path, "application/json", b"{}".to_vec()).await;
            assert_eq!(answer.code(), "unauthenticated", "{name} by the wrong door");
            if operation.method != Method::GET {
                let mut forged = caller.clone();
                forged.csrf_token = Some("0".repeat(64));
                let answer = send(&mut forged, &operation, &path, "application/json", b"{}".to_vec()).await;
                assert_eq!(answer.code(), "csrf_token_invalid", "{name} with a forged token");
            }
        }
        if !operation.has_body {
            continue;
        }
        bodies += 1;
        for (what, content_type, body, status, code) in [
            (
                "malformed JSON",
                "application/json",
                b"{\"a\":".to_vec(),
                400,
                "malformed_json",
            ),
            (
                "trailing bytes",
                "application/json",
                b"{}{}".to_vec(),
                400,
                "malformed_json",
            ),
            (
                "an unknown member",
                "application/json",
                b"{\"no_such_member\":1}".to_vec(),
                422,
                "validation_failed",
            ),
            (
                "another type",
                "application/json",
                b"[]".to_vec(),
                422,
                "validation_failed",
            ),
            (
                "a form",
                "application/x-www-form-urlencoded",
                b"a=b".to_vec(),
                415,
                "unsupported_media_type",
            ),
            (
                "a large body",
                "application/json",
                vec![b' '; 70_000],
                413,
                "body_too_large",
            ),
        ] {
            let answer = send(&mut caller.clone(), &operation, &path, content_type, body).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (status, code),
                "{name} with {what}"
            );
        }
    }
    assert!(bodies >= 6, "the description lists the operations");
}

#[tokio::test]
async fn an_operator_in_a_customers_place_reads_and_does_nothing_else() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let organization = ada.organization();
    let admin = operator(&test, OperatorRole::Admin).await;
    let looking = look(&admin, &user_id(&ada.session)).await;
    let (mut refused, mut read) = (0, 0);
    for operation in operations()
        .iter()
        .filter(|operation| operation.scheme.as_deref() == Some("session") && operation.id != "logout")
    {
        let path = filled(&operation.path, &organization);
        let answer = send(
            &mut looking.clone(),
            operation,
            &path,
            "application/json",
            b"{}".to_vec(),
        )
        .await;
        if operation.method == Method::GET {
            read += 1;
            assert!(
                matches!(answer.status, 200 | 204 | 404),
                "{} read: {}",
                operation.id,
                answer.text()
            );
        } else {
            refused += 1;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (403, "impersonation_read_only"),
                "{}",
                operation.id
            );
        }
    }
    assert!(refused >= 3 && read > 5, "{refused} refused, {read} read");
    let mut leaving = looking.clone();
    let answer = leaving.send(Method::POST, "/api/v1/auth/logout", &[], Vec::new()).await;
    assert_eq!(answer.status, 204, "leaving is allowed");
}

#[tokio::test]
async fn another_organizations_things_are_not_found() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let grace = test.person("grace").await;
    let mut tested = 0;
    for operation in operations()
        .iter()
        .filter(|operation| operation.path.contains("{organization}"))
    {
        let path = filled(&operation.path, &ada.organization());
        let answer = send(
            &mut grace.browser.clone(),
            operation,
            &path,
            "application/json",
            b"{}".to_vec(),
        )
        .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "not_found"),
            "{}",
            operation.id
        );
        tested += 1;
    }
    assert!(tested > 0);
}

#[tokio::test]
async fn too_small_a_role_is_told_so() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let grace = test.person("grace").await;
    test.execute(
        "insert into memberships (organization_id, user_id, role)
         select m.organization_id, u.id, 'member' from memberships m join users o on o.id = m.user_id, users u
         where o.email_normalized = 'ada@example.org' and u.email_normalized = 'grace@example.org'",
    )
    .await;
    let document = tenantry_http::openapi_document();
    let allowed = grace
        .browser
        .clone()
        .get(&format!("/api/v1/organizations/{}", ada.organization()))
        .await
        .json();
    assert_eq!(allowed["role"], "member");
    assert!(
        !allowed["permissions"]
            .as_array()
            .unwrap()
            .contains(&json!("billing.manage"))
    );
    for operation in operations()
        .iter()
        .filter(|operation| operation.path.contains("{organization}") && operation.method != Method::GET)
    {
        let path = filled(&operation.path, &ada.organization());
        let answer = send(
            &mut grace.browser.clone(),
            operation,
            &path,
            "application/json",
            b"{}".to_vec(),
        )
        .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "permission_missing"),
            "{}",
            operation.id
        );
    }
    assert_ne!(document, &Value::Null);

    let viewer = operator(&test, OperatorRole::Viewer).await;
    for operation in operations().iter().filter(|operation| {
        operation.scheme.as_deref() == Some("operator")
            && operation.method != Method::GET
            && !matches!(operation.id.as_str(), "operator_logout" | "operator_change_password")
    }) {
        let path = filled(&operation.path, &ada.organization());
        let answer = send(
            &mut viewer.clone(),
            operation,
            &path,
            "application/json",
            b"{}".to_vec(),
        )
        .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "role_too_small"),
            "{}",
            operation.id
        );
    }
}
