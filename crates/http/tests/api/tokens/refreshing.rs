//! Each refresh token is good once, and a little longer for those who did not hear the answer.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::future::join_all;

use super::{access_token, first_refresh_token, first_tokens, get_with, program, refresh, refresh_token, tokens};
use crate::support::TestApp;

const FAMILY: &str = "select count(*) from refresh_tokens";

#[tokio::test]
async fn a_chain_goes_on_for_as_long_as_it_is_used() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let mut pair = first_tokens(&mut program).await;
    assert_eq!(pair["token_type"], "Bearer");
    assert_eq!(pair["expires_in"], 900);
    for _ in 0..4 {
        test.clock.advance(TimeDelta::days(29));
        let answer = refresh(&mut program, refresh_token(&pair)).await;
        if answer.status == 401 {
            break;
        }
        pair = answer.json();
        let opened = get_with(&mut program, "/api/v1/session", access_token(&pair)).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
    }
    assert_eq!(
        test.count(FAMILY).await,
        5,
        "four links, and 90 days end it however much it is used"
    );
    assert_eq!(
        refresh(&mut program, refresh_token(&pair)).await.code(),
        "refresh_token_invalid"
    );
}

#[tokio::test]
async fn a_session_that_nobody_refreshes_ends() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    test.clock.advance(TimeDelta::days(31));
    let answer = refresh(&mut program, refresh_token(&pair)).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "refresh_token_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_get_the_same_answer_and_leave_one_successor() {
    let test = TestApp::start().await;
    let program = program(&test).await;
    let answers = join_all((0..200).map(|_| {
        let mut program = program.clone();
        tokio::spawn(async move { refresh(&mut program, &first_refresh_token()).await })
    }))
    .await;
    let texts: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.text()
        })
        .collect();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert_eq!(test.count(FAMILY).await, 2);
    assert_eq!(
        test.count("select count(*) from refresh_tokens where spent_at is null")
            .await,
        1
    );
}

#[tokio::test]
async fn a_spent_token_is_answered_again_for_ten_seconds_and_then_ends_the_family() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    test.clock.advance(TimeDelta::seconds(10));
    let again = first_tokens(&mut program).await;
    assert_eq!(again["refresh_token"], pair["refresh_token"]);
    assert_eq!(again["access_token"], pair["access_token"]);
    assert_eq!(again["expires_in"], 890, "the same token, ten seconds older");
    assert_eq!(test.count(FAMILY).await, 2);

    test.clock.advance(TimeDelta::seconds(1));
    let answer = refresh(&mut program, &first_refresh_token()).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "refresh_token_invalid"));
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'refresh_token.reused'")
            .await,
        1
    );
    assert_eq!(
        refresh(&mut program, refresh_token(&pair)).await.code(),
        "refresh_token_invalid",
        "the successor goes with it"
    );
    assert_eq!(
        get_with(&mut program, "/api/v1/session", access_token(&pair))
            .await
            .code(),
        "unauthenticated",
        "and so does the access token, though it is young"
    );
}

/// Somebody kept a copy for longer than sessions that ended are kept.
#[tokio::test]
async fn a_token_that_was_spent_long_ago_ends_the_family_for_as_long_as_it_lives() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let mut pair = first_tokens(&mut program).await;
    for _ in 0..3 {
        test.clock.advance(TimeDelta::days(25));
        tenantry_app::sweep::run(&test.app).await.unwrap();
        pair = tokens(&mut program, refresh_token(&pair)).await;
    }
    let stolen = refresh(&mut program, &first_refresh_token()).await;
    assert_eq!((stolen.status, stolen.code().as_str()), (401, "refresh_token_invalid"));
    assert_eq!(
        refresh(&mut program, refresh_token(&pair)).await.code(),
        "refresh_token_invalid",
        "whoever has the successors goes no further either"
    );
    assert_eq!(
        test.count("select count(*) from audit_events where action = 'refresh_token.reused'")
            .await,
        1
    );
    // With the session go its tokens.
    test.clock.advance(TimeDelta::days(31));
    tenantry_app::sweep::run(&test.app).await.unwrap();
    assert_eq!(test.count(FAMILY).await, 0);
}

#[tokio::test]
async fn signing_out_ends_the_family() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let authorization = format!("Bearer {}", access_token(&pair));
    let answer = program
        .post_with(
            "/api/v1/auth/logout",
            &serde_json::Value::Null,
            &[("authorization", authorization.as_str())],
        )
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(
        refresh(&mut program, refresh_token(&pair)).await.code(),
        "refresh_token_invalid"
    );
    assert_eq!(
        get_with(&mut program, "/api/v1/session", access_token(&pair))
            .await
            .code(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn successors_stay_the_same_when_the_servers_are_others() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    // Another replica has read nothing yet.
    let mut replica = test.replica();
    replica.origin = None;
    let again = tokens(&mut replica, &first_refresh_token()).await;
    assert_eq!(again["refresh_token"], pair["refresh_token"]);
    assert_eq!(again["access_token"], pair["access_token"], "signed with the same key");
}

#[tokio::test]
async fn connections_that_postgresql_closed_are_nobodys_concern() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    test.as_superuser(
        "do $$ begin
             assert (select count(*) > 0 from pg_stat_activity
                     where datname = current_database() and application_name = 'tenantry direct');
             perform pg_terminate_backend(pid, 5000) from pg_stat_activity
                 where datname = current_database() and application_name like 'tenantry %';
         end $$",
    )
    .await;
    tokens(&mut program, refresh_token(&pair)).await;
    assert_eq!(test.count(FAMILY).await, 3);
}

#[tokio::test]
async fn what_is_no_token_is_refused_alike() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    for text in ["", "x", &"A".repeat(43), &"é".repeat(22), access_token(&pair)] {
        let answer = refresh(&mut program, text).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "refresh_token_invalid"),
            "{text}"
        );
    }
}
