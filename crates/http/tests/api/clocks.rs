//! Clocks that jump: a machine slept, or somebody set its time. Whatever it shows, people get answers, and what they had
//! is still theirs when it shows the right time again.

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    support::{Answer, Browser, PASSWORD, TestApp},
    tokens::{access_token, first_tokens, refresh, refresh_token, sign_in_program},
};

const YEAR: TimeDelta = TimeDelta::days(365);

async fn login(browser: &mut Browser, password: &str) -> Answer {
    let request = json!({ "email": "ada@example.org", "password": password });
    let answer = browser.post("/api/v1/auth/login", &request).await;
    browser.remember_session(&answer);
    answer
}

#[tokio::test]
async fn a_session_outlives_a_clock_that_was_wrong_for_a_while() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    for by in [-YEAR, TimeDelta::minutes(-5), YEAR] {
        test.clock.advance(by);
        let answer = ada.get("/api/v1/session").await;
        let expected = if by > TimeDelta::zero() { 401 } else { 200 };
        assert_eq!(answer.status, expected, "{by}: {}", answer.text());
        let made = ada.post("/api/v1/organizations", &json!({ "name": "Museum" })).await;
        assert!(matches!(made.status, 201 | 401), "{by}: {}", made.text());
        test.clock.advance(-by);
    }
    assert_eq!(ada.get("/api/v1/session").await.status, 200);
}

#[tokio::test]
async fn a_pause_ends_although_the_clock_was_set_back() {
    let test = TestApp::start().await;
    test.person("ada").await;
    test.clock.advance(YEAR);
    let mut stranger = test.browser();
    let mut refused = 401;
    while refused == 401 {
        refused = login(&mut stranger, "a wrong password").await.status;
    }
    assert_eq!(refused, 429);
    test.clock.advance(-YEAR);
    let answer = login(&mut stranger, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn guesses_are_counted_whatever_the_clock_shows() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut stranger = test.browser();
    let mut looked_at = 0;
    for _ in 0..40 {
        // Somebody who could set the clock back now and then would still be held up.
        test.clock.advance(TimeDelta::seconds(-1));
        looked_at += usize::from(login(&mut stranger, "a wrong password").await.status == 401);
    }
    assert!(looked_at <= 12, "{looked_at} guesses were looked at");
}

#[tokio::test]
async fn tokens_are_made_and_refused_by_the_clock_and_the_chain_goes_on() {
    let test = TestApp::start().await;
    test.person("ada").await;
    let mut program = sign_in_program(&test).await;
    let mut pair = first_tokens(&mut program).await;
    for by in [TimeDelta::days(-1), TimeDelta::hours(-1)] {
        test.clock.advance(by);
        let authorization = format!("Bearer {}", access_token(&pair));
        let headers = [("authorization", authorization.as_str())];
        let answer = program
            .send(http::Method::GET, "/api/v1/session", &headers, Vec::new())
            .await;
        assert_eq!(answer.status, 401, "{by}: {}", answer.text());
        let next = refresh(&mut program, refresh_token(&pair)).await;
        assert_eq!(next.status, 200, "{by}: {}", next.text());
        pair = next.json();
        test.clock.advance(-by);
    }
}

#[tokio::test]
async fn links_and_codes_are_judged_by_the_clock_and_never_fail_on_our_side() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let (app, _) = ada.sets_up_second_factor(&test).await;
    let mut grace = test.browser();
    test.register(&mut grace, "grace@example.org").await;
    let token = test.link_token("grace@example.org").await;
    for by in [YEAR, -YEAR, TimeDelta::seconds(-30)] {
        test.clock.advance(by);
        let challenge = login(&mut test.browser(), PASSWORD).await;
        assert_eq!(challenge.status, 200, "{by}: {}", challenge.text());
        let challenge = challenge.json()["challenge"]["token"].as_str().unwrap().to_owned();
        let answer = test.browser().answers(&challenge, &app.wrong_code()).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "code_invalid"), "{by}");
        if by > TimeDelta::zero() {
            let answer = test.confirm(&mut grace, &token).await;
            assert_eq!((answer.status, answer.code().as_str()), (410, "link_expired"));
        }
        test.clock.advance(-by);
    }
    assert_eq!(test.confirm(&mut grace, &token).await.status, 200);
}
