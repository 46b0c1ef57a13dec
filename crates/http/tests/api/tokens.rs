//! Tokens for programs: the keys behind them, the chain of refresh tokens, and what an access token opens.

mod access;
mod anything;
mod forgeries;
mod keys;
mod mint;
mod refreshing;

pub(crate) use mint::Mint;

use serde_json::{Value, json};
use tenantry_app::accounts::OpaqueToken;

use crate::support::{Answer, Browser, TestApp};

/// The first refresh token of the program that [`program`] signs in.
fn first_refresh_token() -> String {
    OpaqueToken::from_bytes([7; 32]).encode().to_string()
}

/// Somebody called Ada, and a program that is signed in as her.
pub(crate) async fn program(test: &TestApp) -> Browser {
    test.person("ada").await;
    sign_in_program(test).await
}

/// A program that is signed in as Ada, who exists.
pub(crate) async fn sign_in_program(test: &TestApp) -> Browser {
    test.execute(
        "with started as (
             insert into sessions (id, user_id, kind, device, expires_at)
             select gen_random_uuid(), id, 'token', 'a program', now() + interval '90 days' from users
             where email_normalized = 'ada@example.org' returning id, user_id)
         insert into refresh_tokens (id, user_id, session_id, hash)
         select gen_random_uuid(), user_id, id, sha256(decode(repeat('07', 32), 'hex')) from started",
    )
    .await;
    let mut program = test.browser();
    program.origin = None;
    program
}

pub(crate) async fn refresh(program: &mut Browser, token: &str) -> Answer {
    program
        .post("/api/v1/auth/refresh", &json!({ "refresh_token": token }))
        .await
}

/// The next pair of tokens.
async fn tokens(program: &mut Browser, token: &str) -> Value {
    let answer = refresh(program, token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The first pair of a program's tokens.
pub(crate) async fn first_tokens(program: &mut Browser) -> Value {
    tokens(program, &first_refresh_token()).await
}

async fn get_with(program: &mut Browser, path: &str, access_token: &str) -> Answer {
    let authorization = format!("Bearer {access_token}");
    let headers = [("authorization", authorization.as_str())];
    program.send(http::Method::GET, path, &headers, Vec::new()).await
}

pub(crate) fn access_token(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

pub(crate) fn refresh_token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().unwrap()
}
