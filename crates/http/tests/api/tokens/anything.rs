//! Texts in place of a token, and claims of any kind under our own signature: a session opens by the token that was given
//! for it and by no other, and no text is a fault of ours.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use tenantry_app::accounts::find_bearer_session;

use super::{Mint, access_token, first_tokens, program};
use crate::support::TestApp;

/// How many texts that are almost a token.
const TEXTS: usize = 300;

/// The same values in each run.
fn drawn<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

async fn opens(test: &TestApp, token: &str) -> bool {
    let found = find_bearer_session(&test.app, token).await;
    found.unwrap_or_else(|fault| panic!("{fault}: {token}")).is_some()
}

#[tokio::test]
async fn of_all_texts_like_a_token_the_token_alone_opens() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let good = access_token(&pair);
    assert!(opens(&test, good).await);
    let letters: Vec<char> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u{0}é"
        .chars()
        .collect();
    let place = any::<proptest::sample::Index>();
    let strategy = (
        0..6_u8,
        place.clone(),
        place,
        proptest::sample::select(letters),
        "[A-Za-z0-9_.-]{0,80}",
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..TEXTS {
        let (how, from, to, letter, text) = drawn(&strategy, &mut runner);
        let (from, to) = (from.index(good.len()), to.index(good.len()));
        let mut bent = good.to_owned();
        match how {
            0 => bent.replace_range(from..=from, &letter.to_string()),
            1 => bent.insert(from, letter),
            2 => drop(bent.drain(from.min(to)..from.max(to))),
            3 => bent.insert_str(from, &text),
            4 => bent = bent.split('.').rev().collect::<Vec<_>>().join("."),
            _ => bent = text,
        }
        assert_eq!(opens(&test, &bent).await, bent == good, "{bent}");
    }
    // The last letter of a signature has bits to spare: none of its neighbours is taken for it.
    for letter in ('A'..='Z').chain('a'..='z').chain('0'..='9') {
        let mut bent = good.to_owned();
        bent.pop();
        bent.push(letter);
        assert_eq!(opens(&test, &bent).await, bent == good, "{bent}");
    }
}

#[tokio::test]
async fn of_all_claims_that_we_could_sign_only_right_ones_open() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let mint = Mint::like(&test, access_token(&pair)).await;
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("a\u{0}b"),
        json!("x".repeat(2_000)),
        json!([]),
        json!([mint.claim("aud")]),
        json!({ "a": [] }),
    ];
    // Names that nobody compares, and a beginning that has passed.
    let harmless = |name: &str, value: &Value| match name {
        "jti" => value.is_string(),
        "scope" | "client_id" => value.is_string() || value.is_null(),
        "nbf" => value.is_null() || value.as_i64().is_some_and(|from| from <= test.now().timestamp()),
        "iat" => value.as_i64().is_some_and(|at| at <= test.now().timestamp()),
        // `exp` far ahead would be good for long, if we signed it.
        "exp" => value.as_i64().is_some_and(|until| until > test.now().timestamp()),
        _ => false,
    };
    assert!(opens(&test, &mint.token(json!({}))).await);
    for name in [
        "iss",
        "aud",
        "sub",
        "sid",
        "jti",
        "iat",
        "exp",
        "nbf",
        "scope",
        "client_id",
    ] {
        for value in &values {
            let opened = opens(&test, &mint.token(json!({ name: value }))).await;
            assert!(!opened || harmless(name, value), "{name} = {value} opened a session");
        }
    }
}
