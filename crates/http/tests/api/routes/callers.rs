//! Who is not let in: nobody in particular, by another door, with a session that is over, with a token that is not good.

use http::Method;
use serde_json::json;
use tenantry_domain::accounts::OperatorRole;

use super::{assert_refused, routes, send, send_with, table::Door};
use crate::{
    impersonation::look,
    operators::operator,
    support::TestApp,
    tokens::{Mint, access_token, first_tokens, refresh_token, sign_in_program},
    users::user_id,
};

#[tokio::test]
async fn nobody_gets_in_without_a_session_that_lives() {
    let test = TestApp::start().await;
    let (ada, mut eve) = (test.person("ada").await, test.person("eve").await.browser);
    let admin = operator(&test, OperatorRole::Admin).await;
    let mut former = operator(&test, OperatorRole::Support).await;
    for statement in [
        "update sessions set ended_at = now()
             where user_id = (select id from users where email_normalized = 'eve@example.org')",
        "update operator_sessions set ended_at = now()
             where operator_id = (select id from operators where email_normalized = 'support@example.org')",
    ] {
        test.execute(statement).await;
    }
    assert_eq!(eve.get("/api/v1/session").await.status, 401);
    assert_eq!(former.get("/api/v1/operator/session").await.status, 401);
    for route in routes() {
        let address = route.address_in(&ada.organization());
        let (good, ended, other_door) = match route.door {
            Door::Anybody | Door::Provider(_) => continue,
            Door::User | Door::Member(_) => (&ada.browser, &eve, &admin),
            Door::Operator(_) => (&admin, &former, &ada.browser),
        };
        let mut made_up = good.clone();
        made_up.cookies.values_mut().for_each(|value| *value = "A".repeat(43));
        for (who, mut browser) in [
            ("nobody", test.browser()),
            ("somebody whose session has ended", ended.clone()),
            ("somebody of the other door", other_door.clone()),
            ("somebody who made a cookie up", made_up),
        ] {
            let answer = send(&mut browser, &route, &address, &route.body()).await;
            assert_refused(&answer, 401, "unauthenticated", &format!("{} by {who}", route.id));
        }
        if !route.acts() {
            continue;
        }
        for (what, csrf_token, origin, code) in [
            (
                "with a forged token",
                Some("0".repeat(64)),
                good.origin.clone(),
                "csrf_token_invalid",
            ),
            ("without a token", None, good.origin.clone(), "csrf_token_invalid"),
            (
                "from another site",
                good.csrf_token.clone(),
                Some("https://evil.example".to_owned()),
                "origin_not_allowed",
            ),
            ("from nowhere", good.csrf_token.clone(), None, "origin_not_allowed"),
        ] {
            let mut browser = good.clone();
            (browser.csrf_token, browser.origin) = (csrf_token, origin);
            let answer = send(&mut browser, &route, &address, &route.body()).await;
            assert_refused(&answer, 403, code, &format!("{} {what}", route.id));
        }
    }
    for (browser, path) in [(&ada.browser, "/api/v1/session"), (&admin, "/api/v1/operator/session")] {
        assert_eq!(
            browser.clone().get(path).await.status,
            200,
            "all that was wrong is what was changed"
        );
    }
}

/// Each of these is signed by the key of the installation and differs from a good token in what it is named after.
#[tokio::test]
async fn nobody_gets_in_by_a_token_that_is_not_good() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let admin = operator(&test, OperatorRole::Admin).await;
    let mut program = sign_in_program(&test).await;
    let pair = first_tokens(&mut program).await;
    let mint = Mint::like(&test, access_token(&pair)).await;
    let now = test.now().timestamp();
    let good = mint.token(json!({}));
    let refused = [
        ("expired", mint.token(json!({ "iat": now - 1800, "exp": now - 900 }))),
        ("not yet good", mint.token(json!({ "nbf": now + 900 }))),
        (
            "from the future",
            mint.token(json!({ "iat": now + 900, "exp": now + 1800 })),
        ),
        ("for a product", mint.token(json!({ "aud": "collection" }))),
        ("for nobody", mint.token(json!({ "aud": null }))),
        (
            "of another installation",
            mint.token(json!({ "iss": "https://tenantry.example.com" })),
        ),
        (
            "of another person",
            mint.token(json!({ "sub": "usr_01jd3r8v6yf3qb5c1zk3s9x0aa" })),
        ),
        (
            "of a session that never was",
            mint.token(json!({ "sid": "ses_01jd3r8v6yf3qb5c1zk3s9x0aa" })),
        ),
        ("signed by another key", mint.with_another_key()),
        ("of another kind", mint.of_kind("product+jwt")),
        ("a refresh token", refresh_token(&pair).to_owned()),
        ("nothing", String::new()),
    ];
    for route in routes() {
        let address = route.address_in(&ada.organization());
        // Behind a door of customers there is a good cookie beside the bad token: the token decides alone.
        let (browser, also_good) = match route.door {
            Door::Anybody | Door::Provider(_) => continue,
            Door::User | Door::Member(_) => (ada.browser.clone(), None),
            Door::Operator(_) => (test.browser(), Some(("good elsewhere", good.clone()))),
        };
        for (what, token) in refused.iter().cloned().chain(also_good) {
            let authorization = format!("Bearer {token}");
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
            ];
            let answer = send_with(&mut browser.clone(), &route, &address, &headers, &route.body()).await;
            assert_refused(
                &answer,
                401,
                "unauthenticated",
                &format!("{} with a token {what}", route.id),
            );
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", route.id);
        }
    }
    let authorization = format!("Bearer {good}");
    let headers = [("authorization", authorization.as_str())];
    let opened = test
        .browser()
        .send(Method::GET, "/api/v1/session", &headers, Vec::new())
        .await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(admin.clone().get("/api/v1/operator/session").await.status, 200);
}

#[tokio::test]
async fn an_operator_in_a_customers_place_reads_and_does_nothing_else() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let admin = operator(&test, OperatorRole::Admin).await;
    let looking = look(&admin, &user_id(&ada.session)).await;
    for route in routes() {
        if !matches!(route.door, Door::User | Door::Member(_)) || route.signs_out() {
            continue;
        }
        let address = route.address_in(&ada.organization());
        let answer = send(&mut looking.clone(), &route, &address, &route.body()).await;
        if route.acts() {
            assert_refused(&answer, 403, "impersonation_read_only", route.id);
        } else {
            assert!(
                matches!(answer.status, 200 | 404),
                "{} read: {}",
                route.id,
                answer.text()
            );
        }
    }
    let mut leaving = looking.clone();
    let answer = leaving.send(Method::POST, "/api/v1/auth/logout", &[], Vec::new()).await;
    assert_eq!(answer.status, 204, "leaving is allowed");
}
