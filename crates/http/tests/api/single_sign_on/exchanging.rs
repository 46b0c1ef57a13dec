//! What a product may do for somebody: tokens for one audience, made from those of the sign-in.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    authorize, basic, claims, code, error, parameter, post_form, redeem, secret, sent_to, server, signed_in,
    with_bearer, with_clients,
};
use crate::support::{Answer, Browser, PASSWORD, PUBLIC_URL, TestApp};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn exchange(test: &TestApp, token: &Value, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token.as_str().unwrap()),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", "collection"),
    ];
    for change in changes {
        form.retain(|field| field.0 != change.0);
        form.push(*change);
    }
    let authorization = basic("collection", &secret());
    let headers = [("authorization", authorization.as_str())];
    post_form(&mut server(test), "/oauth/token", &headers, &form).await
}

/// Everybody's organizations have a contract for the product.
async fn with_contracts(test: &TestApp) {
    for statement in [
        "insert into plan_versions (id, product, plan, version, definition)
             values (gen_random_uuid(), 'collection', 'pro', 3, '{}')",
        "insert into subscriptions (id, organization_id, product, delivery, plan_version_id, source, status)
             select gen_random_uuid(), o.id, 'collection', 'shared', v.id, 'operator', 'active'
             from organizations o, plan_versions v",
        "insert into entitlements (subscription_id, organization_id, access, limits)
             select id, organization_id, 'full', '{}' from subscriptions",
    ] {
        test.execute(statement).await;
    }
}

#[tokio::test]
async fn a_product_token_says_what_somebody_may_do_there_for_five_minutes() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await;
    with_contracts(&test).await;
    let tokens = signed_in(&test, &mut ada.browser, &[]).await;
    let answer = exchange(&test, &tokens["access_token"], &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(answer["expires_in"], 300);
    let product = claims(&answer["access_token"]);
    assert_eq!(product["iss"], PUBLIC_URL);
    assert_eq!(product["aud"], "collection");
    assert_eq!(product["sub"], ada.session["user"]["id"]);
    assert_eq!(product["sid"], claims(&tokens["id_token"])["sid"]);
    assert_eq!(product["organization"]["id"], json!(ada.organization()));
    assert_eq!(product["organization"]["name"], "Museum of Examples");
    assert_eq!(product["roles"], json!(["owner"]));
    assert_eq!(product["plan"], "pro");
    assert_eq!(product["plan_version"], 3);
    assert_eq!(product["entitlement"]["access"], "full");
    assert!(product["entitlement"]["version"].as_i64().unwrap() > 1_700_000_000_000_000);
    assert_eq!(product["exp"].as_i64().unwrap() - product["iat"].as_i64().unwrap(), 300);
    // Again and again, as products do: the log names the first time.
    for _ in 0..3 {
        test.clock.advance(TimeDelta::minutes(4));
        assert_eq!(exchange(&test, &tokens["access_token"], &[]).await.status, 200);
    }
    assert_eq!(
        test.count(
            "select count(*) from audit_events a join memberships m using (user_id, organization_id)
             where a.action = 'product.entered' and a.actor = 'collection' and a.sealed_personal is not null"
        )
        .await,
        1
    );

    // It opens nothing here.
    let mut anybody = server(&test);
    for path in ["/api/v1/session", "/api/v1/organizations"] {
        let refused = with_bearer(&mut anybody, path, &answer["access_token"]).await;
        assert_eq!(refused.code(), "unauthenticated", "{path}");
    }
    let refused = with_bearer(&mut anybody, "/oauth/userinfo", &answer["access_token"]).await;
    assert_eq!(error(&refused), (401, "invalid_token".to_owned()));
    let refused = exchange(&test, &answer["access_token"], &[]).await;
    assert_eq!(
        error(&refused),
        (400, "invalid_grant".to_owned()),
        "no exchange of an exchange"
    );
}

#[tokio::test]
async fn a_token_is_exchanged_by_its_own_client_for_its_own_audience() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    with_contracts(&test).await;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let access = &tokens["access_token"];
    for (what, changes, expected) in [
        ("another audience", vec![("audience", "pages")], (400, "invalid_target")),
        (
            "a resource",
            vec![("resource", "https://collection.example.com/")],
            (400, "invalid_target"),
        ),
        ("an actor", vec![("actor_token", "x")], (400, "invalid_request")),
        (
            "an ID token",
            vec![("subject_token", tokens["id_token"].as_str().unwrap())],
            (400, "invalid_grant"),
        ),
        ("nonsense", vec![("subject_token", "x")], (400, "invalid_grant")),
        (
            "another kind",
            vec![("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")],
            (400, "invalid_request"),
        ),
        (
            "another kind back",
            vec![("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")],
            (400, "invalid_request"),
        ),
        (
            "an unknown organization",
            vec![("organization", "no-such-museum")],
            (400, "access_denied"),
        ),
        ("nothing", vec![("subject_token", "")], (400, "invalid_request")),
    ] {
        let answer = exchange(&test, access, &changes).await;
        assert_eq!(error(&answer), (expected.0, expected.1.to_owned()), "{what}");
    }
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", access.as_str().unwrap()),
        ("subject_token_type", ACCESS_TOKEN),
        ("client_id", "pages"),
    ];
    let by_another = post_form(&mut server(&test), "/oauth/token", &[], &form).await;
    assert_eq!(error(&by_another), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn on_whose_behalf_has_to_be_clear() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await;
    let grace = test.person("grace").await;
    let made = ada
        .browser
        .post("/api/v1/organizations", &json!({ "name": "Second museum" }))
        .await
        .json();
    with_contracts(&test).await;
    let second = made["id"].as_str().unwrap();
    let tokens = signed_in(&test, &mut ada.browser, &[]).await;
    let answer = exchange(&test, &tokens["access_token"], &[]).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()));
    for named in [second, made["slug"].as_str().unwrap()] {
        let answer = exchange(&test, &tokens["access_token"], &[("organization", named)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(claims(&answer.json()["access_token"])["organization"]["id"], second);
    }
    let of_another = exchange(
        &test,
        &tokens["access_token"],
        &[("organization", &grace.organization())],
    )
    .await;
    assert_eq!(error(&of_another), (400, "access_denied".to_owned()));
    // Named at the sign-in, it need not be named again.
    let tokens = signed_in(&test, &mut ada.browser, &[("organization", second)]).await;
    let answer = exchange(&test, &tokens["access_token"], &[]).await.json();
    assert_eq!(claims(&answer["access_token"])["organization"]["id"], second);
}

#[tokio::test]
async fn without_a_contract_a_live_session_and_what_the_organization_demands_there_is_none() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    let access = &tokens["access_token"];
    let denied = (400, "access_denied".to_owned());
    assert_eq!(error(&exchange(&test, access, &[]).await), denied, "nothing was bought");
    with_contracts(&test).await;
    assert_eq!(exchange(&test, access, &[]).await.status, 200);
    test.execute("update entitlements set access = 'none'").await;
    assert_eq!(error(&exchange(&test, access, &[]).await), denied);
    test.execute("update entitlements set access = 'read_only'").await;
    let answer = exchange(&test, access, &[]).await.json();
    assert_eq!(claims(&answer["access_token"])["entitlement"]["access"], "read_only");

    test.execute("update organizations set second_factor_required_from = now() - interval '1 day'")
        .await;
    assert_eq!(
        error(&exchange(&test, access, &[]).await),
        denied,
        "a second factor is missing"
    );
    test.execute("update organizations set second_factor_required_from = now() + interval '10 days'")
        .await;
    assert_eq!(exchange(&test, access, &[]).await.status, 200);

    test.clock.advance(TimeDelta::minutes(16));
    assert_eq!(
        error(&exchange(&test, access, &[]).await),
        (400, "invalid_grant".to_owned())
    );
    test.clock.advance(TimeDelta::minutes(-16));
    ada.post("/api/v1/auth/logout", &Value::Null).await;
    assert_eq!(
        error(&exchange(&test, access, &[]).await),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn an_organization_that_demands_a_second_factor_is_not_signed_in_for_without() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await;
    let organization = ada.organization();
    let named = [("organization", organization.as_str())];
    let early = signed_in(&test, &mut ada.browser, &named).await;
    let waiting = code(&mut ada.browser, &named).await;
    let mut elsewhere = test.browser();
    let credentials = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(elsewhere.post("/api/v1/auth/login", &credentials).await.status, 200);

    test.execute("update organizations set second_factor_required_from = now() - interval '1 day'")
        .await;
    let denied = async |browser: &mut Browser| {
        let answer = browser.get(&authorize(&named)).await;
        let (_, parameters) = sent_to(&answer);
        assert!(parameters.iter().all(|(name, _)| name != "code"), "{parameters:?}");
        assert_eq!(parameter(&parameters, "error"), "access_denied");
    };
    denied(&mut ada.browser).await;
    let late = redeem(&test, &waiting).await;
    assert_eq!(
        error(&late),
        (400, "invalid_grant".to_owned()),
        "handed out in time, shown too late"
    );
    let answer = with_bearer(&mut server(&test), "/oauth/userinfo", &early["access_token"]).await;
    assert_eq!(error(&answer), (401, "invalid_token".to_owned()));

    ada.browser.sets_up_second_factor(&test).await;
    let tokens = signed_in(&test, &mut ada.browser, &named).await;
    assert_eq!(claims(&tokens["id_token"])["amr"], json!(["pwd", "otp", "mfa"]));
    denied(&mut elsewhere).await;
}
