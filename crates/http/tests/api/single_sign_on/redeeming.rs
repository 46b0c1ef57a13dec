//! `/oauth/token` and `/oauth/userinfo`: what a code gives, once.

use chrono::TimeDelta;
use futures::future::join_all;
use http::Method;

use super::{
    CALLBACK, VERIFIER, basic, claims, code, error, post_form, redeem, secret, server, signed_in, with_bearer,
    with_clients,
};
use crate::{
    routes::{Door, routes},
    support::PUBLIC_URL,
};

#[tokio::test]
async fn discovery_says_where_everything_is() {
    let test = with_clients().await;
    let answer = test.browser().get("/.well-known/openid-configuration").await;
    let document = answer.json();
    assert_eq!(document["issuer"], PUBLIC_URL);
    assert_eq!(document["id_token_signing_alg_values_supported"][0], "RS256");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        let path = document[member].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap();
        let status = test.browser().get(path).await.status;
        assert_ne!(status, 404, "{member}");
    }
}

#[tokio::test]
async fn a_code_opens_userinfo_and_nothing_of_the_api() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await;
    let tokens = signed_in(&test, &mut ada.browser, &[]).await;
    assert_eq!(tokens["token_type"], "Bearer");
    let mut product = server(&test);
    let info = with_bearer(&mut product, "/oauth/userinfo", &tokens["access_token"]).await;
    assert_eq!(info.status, 200, "{}", info.text());
    assert_eq!(info.json()["sub"], ada.session["user"]["id"]);
    assert_eq!(info.json()["email"], "ada@example.org");
    assert_eq!(info.json()["email_verified"], true);
    let form = [("access_token", tokens["access_token"].as_str().unwrap())];
    assert_eq!(post_form(&mut product, "/oauth/userinfo", &[], &form).await.status, 200);

    let mut tested = 0;
    for route in routes() {
        if matches!(route.door, Door::Anybody) {
            continue;
        }
        let path = route.address_in(&ada.organization());
        for token in ["access_token", "id_token"] {
            let authorization = format!("Bearer {}", tokens[token].as_str().unwrap());
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
            ];
            let answer = product
                .send(route.method.clone(), &path, &headers, b"{}".to_vec())
                .await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (401, "unauthenticated"),
                "{}",
                route.id
            );
        }
        tested += 1;
    }
    assert!(tested > 10);
    assert_eq!(
        error(&with_bearer(&mut product, "/oauth/userinfo", &tokens["id_token"]).await),
        (401, "invalid_token".to_owned())
    );
}

#[tokio::test]
async fn userinfo_ends_with_the_session() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let tokens = signed_in(&test, &mut ada, &[]).await;
    ada.post("/api/v1/auth/logout", &serde_json::Value::Null).await;
    let answer = with_bearer(&mut server(&test), "/oauth/userinfo", &tokens["access_token"]).await;
    assert_eq!(error(&answer), (401, "invalid_token".to_owned()));
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn a_code_is_good_once_and_shown_twice_it_takes_back_what_it_gave() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let code = code(&mut ada, &[]).await;
    let first = redeem(&test, &code).await.json();
    assert_eq!(error(&redeem(&test, &code).await), (400, "invalid_grant".to_owned()));
    let answer = with_bearer(&mut server(&test), "/oauth/userinfo", &first["access_token"]).await;
    assert_eq!(error(&answer), (401, "invalid_token".to_owned()));
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'oidc_code.reused'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_that_show_a_code_at_once_one_gets_tokens() {
    let test = std::sync::Arc::new(with_clients().await);
    let mut ada = test.person("ada").await.browser;
    // The keys are there before the race, which is about the code.
    signed_in(&test, &mut ada, &[]).await;
    let code = code(&mut ada, &[]).await;
    let answers = join_all((0..50).map(|_| {
        let (test, code) = (test.clone(), code.clone());
        tokio::spawn(async move { redeem(&test, &code).await.status })
    }))
    .await;
    let good = answers
        .into_iter()
        .filter(|status| *status.as_ref().unwrap() == 200)
        .count();
    assert_eq!(good, 1);
}

#[tokio::test]
async fn what_comes_with_a_code_has_to_fit() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let own = basic("collection", &secret());
    for (what, header, changes, expected) in [
        (
            "another verifier",
            Some(own.clone()),
            vec![("code_verifier", "x".repeat(50))],
            (400, "invalid_grant"),
        ),
        (
            "no verifier",
            Some(own.clone()),
            vec![("code_verifier", String::new())],
            (400, "invalid_grant"),
        ),
        (
            "another address",
            Some(own.clone()),
            vec![("redirect_uri", format!("{CALLBACK}/"))],
            (400, "invalid_grant"),
        ),
        (
            "no address",
            Some(own.clone()),
            vec![("redirect_uri", String::new())],
            (400, "invalid_request"),
        ),
        (
            "another client",
            None,
            vec![("client_id", "pages".to_owned())],
            (400, "invalid_grant"),
        ),
        (
            "a wrong secret",
            Some(basic("collection", "wrong")),
            vec![],
            (401, "invalid_client"),
        ),
        (
            "no secret",
            None,
            vec![("client_id", "collection".to_owned())],
            (401, "invalid_client"),
        ),
        ("no client", None, vec![], (401, "invalid_client")),
        (
            "a secret for a client without",
            Some(basic("pages", "x")),
            vec![],
            (401, "invalid_client"),
        ),
        (
            "two secrets",
            Some(own.clone()),
            vec![("client_secret", secret())],
            (400, "invalid_request"),
        ),
        (
            "an unknown grant",
            Some(own.clone()),
            vec![("grant_type", "password".to_owned())],
            (400, "unsupported_grant_type"),
        ),
        (
            "a code that is none",
            Some(own.clone()),
            vec![("code", "x".to_owned())],
            (400, "invalid_grant"),
        ),
    ] {
        let code = code(&mut ada, &[]).await;
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ];
        for (name, value) in changes {
            form.retain(|field| field.0 != name);
            form.push((name, value));
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let headers: Vec<(&str, &str)> = header.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = post_form(&mut server(&test), "/oauth/token", &headers, &form).await;
        assert_eq!(error(&answer), (expected.0, expected.1.to_owned()), "{what}");
        if expected.0 == 401 {
            assert!(answer.header("www-authenticate").starts_with("Basic"), "{what}");
        }
    }
    // The right secret in the form will do.
    let code = code(&mut ada, &[]).await;
    let secret = secret();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", "collection"),
        ("client_secret", secret.as_str()),
    ];
    assert_eq!(
        post_form(&mut server(&test), "/oauth/token", &[], &form).await.status,
        200
    );
}

/// Without PKCE: a client that shows its secret, and finds its nonce again.
#[tokio::test]
async fn a_secret_and_a_nonce_are_enough_and_nothing_passes_for_them() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let own = basic("collection", &secret());
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    for (what, asked, verifier, expected) in [
        ("none asked for, none shown", &without[..], "", 200),
        ("a challenge was taken out on the way", &without[..], VERIFIER, 400),
        ("the verifier was left away", &[][..], "", 400),
        ("a challenge and its verifier", &[][..], VERIFIER, 200),
    ] {
        let code = code(&mut ada, asked).await;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
        ];
        if !verifier.is_empty() {
            form.push(("code_verifier", verifier));
        }
        let headers = [("authorization", own.as_str())];
        let answer = post_form(&mut server(&test), "/oauth/token", &headers, &form).await;
        assert_eq!(answer.status, expected, "{what}: {}", answer.text());
        if expected == 200 {
            assert_eq!(claims(&answer.json()["id_token"])["nonce"], "n-1", "{what}");
        } else {
            assert_eq!(error(&answer), (400, "invalid_grant".to_owned()), "{what}");
            // Wrong once is wrong for good.
            assert_eq!(error(&redeem(&test, &code).await), (400, "invalid_grant".to_owned()));
        }
    }
    assert_eq!(
        test.count(
            "select count(*) from audit_events a join sessions s on s.user_id = a.user_id
             where a.action in ('oidc_code.redeemed', 'oidc_code.refused') and a.actor = 'collection'
                 and a.target like 'ses_%' and a.sealed_personal is not null"
        )
        .await,
        4
    );

    // A client that lost its secret since it asked cannot have shown one.
    let code = code(&mut ada, &without).await;
    test.execute("update oidc_clients set secret_hash = null where client_id = 'collection'")
        .await;
    for verifier in ["", VERIFIER] {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "collection"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        let answer = post_form(&mut server(&test), "/oauth/token", &[], &form).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let test = with_clients().await;
    let mut ada = test.person("ada").await.browser;
    let code = code(&mut ada, &[]).await;
    test.clock.advance(TimeDelta::seconds(60));
    assert_eq!(error(&redeem(&test, &code).await), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn bodies_are_forms_and_pages_of_other_sites_may_call() {
    let test = with_clients().await;
    let mut page = test.browser();
    page.origin = Some("https://pages.example.com".to_owned());
    let answer = page.post("/oauth/token", &serde_json::json!({})).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for path in ["/oauth/token", "/oauth/userinfo", "/.well-known/jwks.json"] {
        let headers = [
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization"),
        ];
        let answer = page.send(Method::OPTIONS, path, &headers, Vec::new()).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(
            answer.header("access-control-allow-headers").contains("Authorization"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
    for path in [
        "/oauth/authorize",
        "/oauth/end-session",
        "/api/v1/session",
        "/api/v1/auth/login",
        "/",
    ] {
        let headers = [("access-control-request-method", "POST")];
        let answer = page.send(Method::OPTIONS, path, &headers, Vec::new()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        let answer = page.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let twice = b"grant_type=authorization_code&grant_type=password".to_vec();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = page.send(Method::POST, "/oauth/token", &headers, twice).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()));
    let large = vec![b'a'; 70_000];
    let answer = page.send(Method::POST, "/oauth/token", &headers, large).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()));
}
