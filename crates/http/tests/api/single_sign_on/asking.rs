//! `/oauth/authorize`: who is sent where, and who is not.

use chrono::TimeDelta;
use serde_json::json;

use super::{CALLBACK, VERIFIER, authorize, claims, parameter, post_form, sent_to, server, signed_in, with_clients};
use crate::support::{Browser, PASSWORD, PUBLIC_URL};

async fn log_in(browser: &mut Browser) {
    let answer = browser
        .post(
            "/api/v1/auth/login",
            &json!({ "email": "ada@example.org", "password": PASSWORD }),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The way back that the log-in page is told, relative to this site.
fn next(location: &(String, Vec<(String, String)>)) -> String {
    assert_eq!(location.0, format!("{PUBLIC_URL}/login"));
    let next = parameter(&location.1, "next").to_owned();
    assert!(next.starts_with("/oauth/authorize?"), "{next}");
    next
}

#[tokio::test]
async fn whoever_is_signed_in_goes_back_with_a_code() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let (address, parameters) = sent_to(&ada.get(&authorize(&[])).await);
    assert_eq!(address, CALLBACK);
    assert_eq!(parameter(&parameters, "state"), "a state & more");
    assert_eq!(parameter(&parameters, "iss"), PUBLIC_URL);
    assert_eq!(parameter(&parameters, "code").len(), 43);
    // An address that has a query of its own keeps it.
    let pages = [
        ("client_id", "pages"),
        ("redirect_uri", "https://pages.example.com/callback?kind=oidc"),
    ];
    let (address, parameters) = sent_to(&ada.get(&authorize(&pages)).await);
    assert_eq!(address, "https://pages.example.com/callback");
    assert_eq!(parameter(&parameters, "kind"), "oidc");
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'product.signed_in'")
            .await,
        2
    );
}

#[tokio::test]
async fn whoever_is_not_signs_in_first_and_comes_back() {
    let test = with_clients().await;
    test.person("ada").await;
    let mut browser = test.browser();
    let next = next(&sent_to(&browser.get(&authorize(&[])).await));
    log_in(&mut browser).await;
    let (address, parameters) = sent_to(&browser.get(&next).await);
    assert_eq!(address, CALLBACK);
    assert_eq!(parameter(&parameters, "state"), "a state & more");
}

#[tokio::test]
async fn an_address_that_nobody_registered_gets_nothing() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    for (what, changes) in [
        (
            "another host",
            vec![("redirect_uri", "https://evil.example/auth/callback")],
        ),
        (
            "a longer path",
            vec![("redirect_uri", "https://collection.example.com/auth/callback/more")],
        ),
        (
            "another scheme",
            vec![("redirect_uri", "http://collection.example.com/auth/callback")],
        ),
        (
            "a query",
            vec![("redirect_uri", "https://collection.example.com/auth/callback?a=b")],
        ),
        (
            "capitals",
            vec![("redirect_uri", "https://COLLECTION.example.com/auth/callback")],
        ),
        (
            "a user",
            vec![(
                "redirect_uri",
                "https://collection.example.com@evil.example/auth/callback",
            )],
        ),
        ("a script", vec![("redirect_uri", "javascript:alert(1)")]),
        (
            "another client's",
            vec![("redirect_uri", "https://pages.example.com/callback?kind=oidc")],
        ),
        (
            "a template",
            vec![
                ("client_id", "instances"),
                ("redirect_uri", "{{ tenant.url }}/auth/callback"),
            ],
        ),
        (
            "nobody's site",
            vec![
                ("client_id", "instances"),
                ("redirect_uri", "http://museum.tenants.localhost/auth/callback"),
            ],
        ),
        ("none", vec![("redirect_uri", "")]),
        ("an unknown client", vec![("client_id", "nobody")]),
        ("no client", vec![("client_id", "")]),
        ("a client with a quote", vec![("client_id", "x' or '1'='1")]),
        ("a client with a NUL", vec![("client_id", "collection\0")]),
    ] {
        let answer = ada.get(&authorize(&changes)).await;
        assert_eq!(answer.status, 400, "{what}");
        assert_eq!(answer.header("location"), "", "{what}");
        assert!(answer.header("content-type").starts_with("text/html"), "{what}");
        assert!(!answer.text().contains("evil.example"), "{what} is not repeated");
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", authorize(&[]));
    assert_eq!(ada.get(&twice).await.status, 400);
}

#[tokio::test]
async fn what_is_wrong_is_told_to_the_product() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    for (changes, expected) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "unsupported_response_type"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("scope", "profile")], "invalid_scope"),
        (vec![("code_challenge", "")], "invalid_request"),
        (
            vec![("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "")],
            "invalid_request",
        ),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("request", "eyJ")], "request_not_supported"),
        (
            vec![("request_uri", "https://collection.example.com/r")],
            "request_uri_not_supported",
        ),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("proven_since", "99999999999")], "invalid_request"),
        (vec![("organization", "no-such-museum")], "access_denied"),
    ] {
        let (address, parameters) = sent_to(&ada.get(&authorize(&changes)).await);
        assert_eq!(address, CALLBACK);
        assert_eq!(parameter(&parameters, "error"), expected, "{changes:?}");
        assert_eq!(parameter(&parameters, "state"), "a state & more");
        assert!(!parameters.iter().any(|(name, _)| name == "code"));
    }
    // Without a secret a nonce is not enough.
    let public = [
        ("client_id", "pages"),
        ("redirect_uri", "https://pages.example.com/callback?kind=oidc"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let (_, parameters) = sent_to(&ada.get(&authorize(&public)).await);
    assert_eq!(parameter(&parameters, "error"), "invalid_request");
    let twice = format!("{}&nonce=n-2", authorize(&[]));
    assert_eq!(
        parameter(&sent_to(&ada.get(&twice).await).1, "error"),
        "invalid_request"
    );
}

#[tokio::test]
async fn prompt_and_max_age_decide_whether_somebody_signs_in_again() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let quiet = authorize(&[("prompt", "none")]);
    assert_eq!(
        parameter(&sent_to(&test.browser().get(&quiet).await).1, "error"),
        "login_required"
    );
    parameter(&sent_to(&ada.get(&quiet).await).1, "code");

    for changes in [[("prompt", "login")], [("max_age", "0")]] {
        test.clock.advance(TimeDelta::minutes(1));
        let again = next(&sent_to(&ada.get(&authorize(&changes)).await));
        assert!(!again.contains("prompt"), "{again}");
        // Coming back without having signed in changes nothing.
        let still = next(&sent_to(&ada.get(&again).await));
        test.clock.advance(TimeDelta::seconds(5));
        log_in(&mut ada).await;
        parameter(&sent_to(&ada.get(&still).await).1, "code");
    }
    parameter(&sent_to(&ada.get(&authorize(&[("max_age", "60")])).await).1, "code");
    test.clock.advance(TimeDelta::seconds(61));
    next(&sent_to(&ada.get(&authorize(&[("max_age", "60")])).await));
    let quiet = authorize(&[("max_age", "60"), ("prompt", "none")]);
    assert_eq!(parameter(&sent_to(&ada.get(&quiet).await).1, "error"), "login_required");
}

#[tokio::test]
async fn a_form_is_taken_like_a_query() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let query = authorize(&[]);
    let body = query.split_once('?').unwrap().1.as_bytes().to_vec();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = ada.send(http::Method::POST, "/oauth/authorize", &headers, body).await;
    parameter(&sent_to(&answer).1, "code");
    let headers = [("content-type", "application/json")];
    let answer = ada
        .send(http::Method::POST, "/oauth/authorize", &headers, b"{}".to_vec())
        .await;
    assert_eq!(answer.status, 400);
}

/// A dedicated product has one address for each tenant, and the tenant says on whose behalf its people come.
#[tokio::test]
async fn a_tenants_own_address_is_known_and_opens_for_its_members() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await;
    let mut grace = test.person("grace").await.browser;
    for statement in [
        "insert into clusters (id, name) values (gen_random_uuid(), 'local')",
        "insert into plan_versions (id, product, plan, version, definition)
             values (gen_random_uuid(), 'instances', 'starter', 1, '{}')",
        "insert into tenants (id, organization_id, product, cluster_id, name, namespace, release, plan_version_wanted)
             select gen_random_uuid(), m.organization_id, 'instances', c.id, 'museum', 'museum', 'museum', v.id
             from memberships m join users u on u.id = m.user_id, clusters c, plan_versions v
             where u.email_normalized = 'ada@example.org'",
        "insert into domains (host, organization_id, tenant_id)
             select 'museum.tenants.localhost', organization_id, id from tenants",
    ] {
        test.execute(statement).await;
    }
    let own = "http://museum.tenants.localhost/auth/callback";
    let changes = [("client_id", "instances"), ("redirect_uri", own)];
    let (address, parameters) = sent_to(&ada.browser.get(&authorize(&changes)).await);
    assert_eq!(address, own);
    parameter(&parameters, "code");
    let (_, parameters) = sent_to(&ada.browser.get(&authorize(&changes)).await);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "instances"),
        ("code", parameter(&parameters, "code")),
        ("redirect_uri", own),
        ("code_verifier", VERIFIER),
    ];
    let tokens = post_form(&mut server(&test), "/oauth/token", &[], &form).await.json();
    // The client is every tenant's: the token says at which one this is.
    let id = claims(&tokens["id_token"]);
    assert_eq!(id["aud"], "instances");
    assert_eq!(id["organization"], json!({ "id": ada.organization() }));
    assert!(id["tenant"].as_str().unwrap().starts_with("ten_"), "{id}");
    let (_, parameters) = sent_to(&grace.get(&authorize(&changes)).await);
    assert_eq!(parameter(&parameters, "error"), "access_denied");
    for wrong in [
        "http://museum.tenants.localhost:81/auth/callback",
        "https://museum.tenants.localhost/auth/callback",
        "http://museum.tenants.localhost/other",
        "http://other.tenants.localhost/auth/callback",
    ] {
        let changes = [("client_id", "instances"), ("redirect_uri", wrong)];
        assert_eq!(ada.browser.get(&authorize(&changes)).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_id_token_says_who_signed_in_and_when() {
    let test = with_clients().await;
    let ada = test.person("ada").await;
    let mut browser = ada.browser.clone();
    let tokens = signed_in(&test, &mut browser, &[]).await;
    let id = claims(&tokens["id_token"]);
    assert_eq!(id["iss"], PUBLIC_URL);
    assert_eq!(id["aud"], "collection");
    assert_eq!(id["sub"], ada.session["user"]["id"]);
    assert_eq!(id["nonce"], "n-1");
    assert_eq!(id["name"], "Ada Lovelace");
    assert_eq!(id["email"], "ada@example.org");
    assert_eq!(id["amr"], json!(["pwd"]));
    assert!(id["sid"].as_str().unwrap().starts_with("ses_"));
    let (iat, auth_time) = (id["iat"].as_i64().unwrap(), id["auth_time"].as_i64().unwrap());
    assert!(auth_time <= iat && iat - auth_time < 60);
    let bare = signed_in(&test, &mut browser, &[("scope", "openid"), ("nonce", "")]).await;
    let id = claims(&bare["id_token"]);
    for absent in ["name", "email", "nonce", "locale", "organization", "tenant"] {
        assert!(id.get(absent).is_none(), "{absent}");
    }
    assert_eq!(bare["scope"], "openid");
    let named = signed_in(&test, &mut browser, &[("organization", &ada.organization())]).await;
    let id = claims(&named["id_token"]);
    assert_eq!(id["organization"], json!({ "id": ada.organization() }));
    assert!(id.get("tenant").is_none(), "a shared product has none");
}
