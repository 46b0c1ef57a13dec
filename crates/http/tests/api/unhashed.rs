//! Attempts that nobody could look at, since hashing failed, and what hashing and estimating cost whoever asks.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_app::accounts::{PasswordHasher, PasswordParameters};
use tenantry_domain::accounts::{OperatorRole, Password};

use crate::{
    operators,
    support::{Answer, Browser, PASSWORD, TestApp},
};

const ADA: &str = "ada@example.org";
const NEXT: &str = "purple anchor sings at dawn";
const LOGIN: &str = "/api/v1/auth/login";
const COUNTED: &str = "select coalesce(sum(failures), 0)::bigint from sign_in_failures";

async fn login(browser: &mut Browser, email: &str, password: &str) -> Answer {
    let request = json!({ "email": email, "password": password });
    browser.post(LOGIN, &request).await
}

/// What stands for a busy server here: a hash that nothing can be compared with fails as a queue does that is too long.
async fn damage_hashes(test: &TestApp) {
    test.execute("update credentials set password_hash = 'damaged ' || password_hash")
        .await;
}

async fn mend_hashes(test: &TestApp) {
    test.execute("update credentials set password_hash = replace(password_hash, 'damaged ', '')")
        .await;
}

/// More often than attempts are free.
async fn fails_uncounted(test: &TestApp, browser: &mut Browser, path: &str, body: &Value) {
    let counted = test.count(COUNTED).await;
    for _ in 0..7 {
        let answer = browser.post(path, body).await;
        assert_eq!(answer.status, 500, "{path}: {}", answer.text());
    }
    assert_eq!(test.count(COUNTED).await, counted, "{path}");
}

#[tokio::test]
async fn an_attempt_at_a_persons_password_that_nobody_looked_at_is_none() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    damage_hashes(&test).await;
    let credentials = json!({ "email": ADA, "password": PASSWORD });
    fails_uncounted(&test, &mut test.browser(), LOGIN, &credentials).await;
    fails_uncounted(&test, &mut ada, LOGIN, &credentials).await;
    let proof = json!({ "password": PASSWORD });
    fails_uncounted(&test, &mut ada, "/api/v1/auth/step-up", &proof).await;
    let change = json!({ "current_password": PASSWORD, "password": NEXT });
    fails_uncounted(&test, &mut ada, "/api/v1/me/password", &change).await;
    mend_hashes(&test).await;
    let wrong = login(&mut test.browser(), ADA, "wrong password").await;
    assert_eq!((wrong.status, wrong.header("ratelimit-remaining")), (401, "4"));
}

#[tokio::test]
async fn an_attempt_to_confirm_that_nobody_looked_at_is_none() {
    let test = TestApp::start().await;
    test.register(&mut test.browser(), ADA).await;
    let token = test.link_token(ADA).await;
    test.execute("update sign_ups set password_hash = 'damaged ' || password_hash")
        .await;
    let request = json!({ "token": token, "password": PASSWORD });
    fails_uncounted(&test, &mut test.browser(), "/api/v1/auth/verify-email", &request).await;
}

#[tokio::test]
async fn an_attempt_at_an_operators_password_that_nobody_looked_at_is_none() {
    let test = TestApp::start().await;
    let mut admin = operators::operator(&test, OperatorRole::Admin).await;
    test.execute("update operators set password_hash = 'damaged ' || password_hash")
        .await;
    let path = "/api/v1/operator/auth/login";
    let credentials = json!({ "email": "admin@example.org", "password": operators::PASSWORD });
    fails_uncounted(&test, &mut test.browser(), path, &credentials).await;
    let change = json!({ "current_password": operators::PASSWORD, "password": NEXT });
    fails_uncounted(&test, &mut admin, "/api/v1/operator/auth/password", &change).await;
}

#[tokio::test]
async fn what_failed_before_still_counts_and_no_pause_begins_anew() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut stranger = test.browser();
    for _ in 0..8 {
        assert_eq!(login(&mut stranger, ADA, "wrong password").await.status, 401);
        test.clock.advance(TimeDelta::seconds(60));
    }
    damage_hashes(&test).await;
    assert_eq!(login(&mut stranger, ADA, PASSWORD).await.status, 500);
    mend_hashes(&test).await;
    let wrong = login(&mut stranger, ADA, "wrong password").await;
    assert_eq!(wrong.status, 401, "at once: {}", wrong.text());
    let paused = login(&mut stranger, ADA, PASSWORD).await;
    assert_eq!((paused.status, paused.header("retry-after")), (429, "16"), "the ninth");
}

#[tokio::test]
async fn a_wrong_password_costs_as_much_where_hashes_were_cheaper() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let cheaper = PasswordHasher::new(PasswordParameters {
        memory_kib: 32,
        iterations: 1,
        lanes: 1,
        concurrency: 1,
    })
    .unwrap();
    let hash = cheaper.hash(Password::choose(&PASSWORD.into()).unwrap()).await.unwrap();
    let statement = format!("update credentials set password_hash = '{hash}'");
    test.execute(Box::leak(statement.into_boxed_str())).await;
    let cost = async |email: &str| {
        let before = test.app.passwords.written_kib();
        assert_eq!(login(&mut test.browser(), email, "wrong password").await.status, 401);
        test.app.passwords.written_kib() - before
    };
    assert_eq!(cost("nobody@example.org").await, 64);
    assert_eq!(cost(ADA).await, 64);
}

#[tokio::test]
async fn estimates_of_passwords_have_an_end_for_one_network() {
    let test = TestApp::start().await;
    let path = "/api/v1/auth/password-strength";
    let typed = json!({ "password": PASSWORD, "inputs": [ADA] });
    let first = test.browser().post(path, &typed).await;
    assert_eq!(first.json()["acceptable"], true, "{}", first.text());
    let limits =
        |answer: &Answer| ["ratelimit-limit", "ratelimit-remaining"].map(|name| answer.header(name).to_owned());
    assert_eq!(limits(&first), ["300", "299"]);
    // As if somebody had gone on typing.
    test.execute("update request_rates set used_until = used_until + interval '149.5 seconds'")
        .await;
    let refused = test.browser().post(path, &typed).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(limits(&refused), ["300", "0"]);
    assert_eq!(refused.header("retry-after"), "1");
    let weak = test.register(&mut test.browser(), ADA).await;
    assert_eq!(weak.status, 429, "signing up is no way around");
    let mut elsewhere = test.browser_from([198, 51, 100, 1]);
    assert_eq!(elsewhere.post(path, &typed).await.status, 200);
    test.clock.advance(TimeDelta::milliseconds(500));
    assert_eq!(
        test.browser().post(path, &typed).await.status,
        200,
        "one more after a while"
    );
}
