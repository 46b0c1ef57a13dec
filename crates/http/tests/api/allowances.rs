//! Whoever may try only so often is told how much is left, whether the last try was right or wrong, and when it is used up.

use serde_json::{Value, json};

use crate::support::{Answer, Browser, PASSWORD, TestApp};

#[track_caller]
fn left(answer: &Answer) -> (u16, String, String) {
    assert!(
        answer.header("ratelimit-reset").parse::<u32>().is_ok(),
        "{} {:?}",
        answer.text(),
        answer.headers
    );
    (
        answer.status,
        answer.header("ratelimit-limit").to_owned(),
        answer.header("ratelimit-remaining").to_owned(),
    )
}

#[track_caller]
fn is_left(answer: &Answer, status: u16, remaining: &str) {
    assert_eq!(
        left(answer),
        (status, "5".to_owned(), remaining.to_owned()),
        "{}",
        answer.text()
    );
}

#[track_caller]
fn is_used_up(answer: &Answer) {
    is_left(answer, 429, "0");
    assert_eq!(answer.code(), "too_many_attempts");
    assert_eq!(answer.header("retry-after"), answer.header("ratelimit-reset"));
}

async fn login(browser: &mut Browser, password: &str) -> Answer {
    let request = json!({ "email": "ada@example.org", "password": password });
    browser.post("/api/v1/auth/login", &request).await
}

#[tokio::test]
async fn a_log_in_says_how_many_more_may_fail() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut stranger = test.browser();
    is_left(&login(&mut stranger, "wrong password").await, 401, "4");
    is_left(&login(&mut stranger, "wrong password").await, 401, "3");
    let right = login(&mut stranger, PASSWORD).await;
    is_left(&right, 200, "5");
    assert_eq!(right.header("ratelimit-reset"), "0", "nothing is used up");
    let mut stranger = test.browser();
    for remaining in ["4", "3", "2", "1", "0"] {
        is_left(&login(&mut stranger, "wrong password").await, 401, remaining);
    }
    is_used_up(&login(&mut stranger, PASSWORD).await);
}

#[tokio::test]
async fn so_does_every_step_that_asks_for_a_code() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (app, codes) = ada.sets_up_second_factor(&test).await;
    let mut stranger = test.browser();
    let step = login(&mut stranger, PASSWORD).await;
    is_left(&step, 200, "5");
    let challenge = step.json()["challenge"]["token"].as_str().unwrap().to_owned();
    is_left(&stranger.answers(&challenge, &app.wrong_code()).await, 401, "4");
    is_left(&stranger.answers(&challenge, &codes[0]).await, 200, "5");

    // With recovery codes, too: what none is like is as wrong as a used one.
    let mut stranger = test.browser();
    let step = login(&mut stranger, PASSWORD).await;
    let challenge = step.json()["challenge"]["token"].as_str().unwrap().to_owned();
    for remaining in ["4", "3", "2", "1"] {
        is_left(&stranger.answers(&challenge, &codes[0]).await, 401, remaining);
    }
    let step = login(&mut stranger, PASSWORD).await;
    let other = step.json()["challenge"]["token"].as_str().unwrap().to_owned();
    is_left(&stranger.answers(&other, &codes[0]).await, 401, "0");
    is_used_up(&stranger.answers(&other, &codes[1]).await);
}

#[tokio::test]
async fn so_do_a_new_proof_and_another_password() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let step_up = "/api/v1/auth/step-up";
    let wrong = json!({ "password": "wrong password" });
    is_left(&ada.post(step_up, &wrong).await, 401, "4");
    is_left(&ada.post(step_up, &json!({ "password": PASSWORD })).await, 204, "5");
    for remaining in ["4", "3", "2", "1", "0"] {
        is_left(&ada.post(step_up, &wrong).await, 401, remaining);
    }
    is_used_up(&ada.post(step_up, &wrong).await);

    let path = "/api/v1/me/password";
    let change = |current: &str| json!({ "current_password": current, "password": "purple anchor sings at dawn" });
    is_left(&ada.post(path, &change("wrong password")).await, 422, "4");
    is_left(&ada.post(path, &change(PASSWORD)).await, 204, "5");
}

#[tokio::test]
async fn an_operators_door_does_too() {
    let test = TestApp::start().await;
    crate::operators::operator(&test, tenantry_domain::accounts::OperatorRole::Viewer).await;
    let path = "/api/v1/operator/auth/login";
    let request = |password: &str| json!({ "email": "viewer@example.org", "password": password });
    let mut browser = test.browser();
    is_left(&browser.post(path, &request("wrong password")).await, 401, "4");
    let step = browser.post(path, &request(crate::operators::PASSWORD)).await;
    let wrong = json!({ "challenge": step.json()["challenge"]["token"], "code": "aaaaa-aaaaa" });
    is_left(&step, 200, "4");
    let answer = browser.post("/api/v1/operator/auth/login/second-factor", &wrong).await;
    is_left(&answer, 401, "3");
}

#[test]
fn the_description_says_so() {
    let document = tenantry_http::openapi_document();
    for (path, method, statuses) in [
        ("/api/v1/auth/login", "post", ["200", "401", "429"]),
        ("/api/v1/auth/login/second-factor", "post", ["200", "401", "429"]),
        ("/api/v1/auth/step-up", "post", ["204", "401", "429"]),
        ("/api/v1/operator/auth/login", "post", ["200", "401", "429"]),
    ] {
        for status in statuses {
            let headers: &Value = &document["paths"][path][method]["responses"][status]["headers"];
            assert!(headers["RateLimit-Remaining"].is_object(), "{path} {status}: {headers}");
        }
    }
}
