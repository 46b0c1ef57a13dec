//! What an access token opens: what a session opens, without the proof that a browser's page has to give.

use http::Method;
use serde_json::json;

use super::{access_token, first_tokens, get_with, program, refresh_token};
use crate::support::TestApp;

#[tokio::test]
async fn it_opens_what_a_session_opens_and_needs_no_proof_of_origin() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let session = get_with(&mut program, "/api/v1/session", access_token(&pair)).await;
    assert_eq!(session.status, 200, "{}", session.text());
    assert_eq!(session.json()["user"]["email"], "ada@example.org");
    assert_eq!(session.json()["csrf_token"], "", "there is nothing to send");
    let authorization = format!("bearer {}", access_token(&pair));
    let made = program
        .post_with(
            "/api/v1/organizations",
            &json!({ "name": "Made by a program" }),
            &[("authorization", authorization.as_str())],
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/api/v1/organizations/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(get_with(&mut program, &path, access_token(&pair)).await.status, 200);
}

#[tokio::test]
async fn a_token_decides_alone_and_a_cookie_beside_it_is_not_looked_at() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let mut grace = test.person("grace").await.browser;
    let both = get_with(&mut grace, "/api/v1/session", access_token(&pair)).await;
    assert_eq!(both.json()["user"]["email"], "ada@example.org");
    for authorization in ["Bearer nonsense", "Bearer ", "Bearer"] {
        let headers = [("authorization", authorization)];
        let answer = grace.send(Method::GET, "/api/v1/session", &headers, Vec::new()).await;
        assert_eq!(
            answer.code(),
            "unauthenticated",
            "{authorization}: the cookie does not help out"
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    // What a proxy asks for is not ours.
    let headers = [("authorization", "Basic YTpi")];
    let answer = grace.send(Method::GET, "/api/v1/session", &headers, Vec::new()).await;
    assert_eq!(answer.json()["user"]["email"], "grace@example.org");
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token_and_operators_have_a_door_of_their_own() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    assert_eq!(
        get_with(&mut program, "/api/v1/session", refresh_token(&pair))
            .await
            .code(),
        "unauthenticated"
    );
    assert_eq!(
        get_with(&mut program, "/api/v1/operator/overview", access_token(&pair))
            .await
            .code(),
        "unauthenticated"
    );
}
