//! Asking for tokens has an end: for one network, and for one client wherever its servers are.

use chrono::TimeDelta;
use futures::future::join_all;

use super::{CALLBACK, VERIFIER, basic, error, post_form, secret, with_clients};
use crate::support::{Answer, TestApp};

const SOMEWHERE: [u8; 4] = [198, 51, 100, 1];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 2];

/// Asks with a code that is none, as a client with a secret, or without one.
async fn ask(test: &TestApp, from: [u8; 4], client: &str) -> Answer {
    let mut server = test.browser_from(from);
    server.origin = None;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", "x"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let authorization = basic(client, &secret());
    let headers = [("authorization", authorization.as_str())];
    if client == "collection" {
        post_form(&mut server, "/oauth/token", &headers, &form).await
    } else {
        form.push(("client_id", client));
        post_form(&mut server, "/oauth/token", &[], &form).await
    }
}

fn limits(answer: &Answer) -> [&str; 2] {
    ["ratelimit-limit", "ratelimit-remaining"].map(|name| answer.header(name))
}

#[track_caller]
fn is_refused(answer: &Answer) {
    assert_eq!(error(answer), (429, "temporarily_unavailable".to_owned()));
    assert_eq!(limits(answer)[1], "0");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("ratelimit-reset"), "1");
    assert!(answer.header("access-control-expose-headers").contains("Retry-After"));
}

#[tokio::test]
async fn a_client_without_a_secret_gets_so_many_answers_in_one_network() {
    let test = with_clients().await;
    let first = ask(&test, SOMEWHERE, "pages").await;
    assert_eq!(error(&first), (400, "invalid_grant".to_owned()));
    assert_eq!(limits(&first), ["120", "119"]);
    join_all((0..119).map(|_| ask(&test, SOMEWHERE, "pages"))).await;
    is_refused(&ask(&test, SOMEWHERE, "pages").await);
    assert_eq!(
        ask(&test, ELSEWHERE, "pages").await.status,
        400,
        "nobody keeps others out by a name that everybody knows"
    );
    assert_eq!(
        ask(&test, SOMEWHERE, "collection").await.status,
        400,
        "another client counts for itself"
    );
    test.clock.advance(TimeDelta::milliseconds(250));
    assert_eq!(
        ask(&test, SOMEWHERE, "pages").await.status,
        400,
        "one more after a while"
    );
    is_refused(&ask(&test, SOMEWHERE, "pages").await);
}

#[tokio::test]
async fn a_client_with_a_secret_gets_so_many_wherever_its_servers_are() {
    let test = with_clients().await;
    let answer = ask(&test, SOMEWHERE, "collection").await;
    assert_eq!(limits(&answer), ["1000", "999"], "what is used up sooner is told");
    // As if 2,000 requests had come from everywhere.
    test.execute("update request_rates set used_until = used_until + interval '19.99 seconds'")
        .await;
    let refused = ask(&test, ELSEWHERE, "collection").await;
    is_refused(&refused);
    assert_eq!(limits(&refused), ["2000", "0"]);
    assert_eq!(ask(&test, ELSEWHERE, "pages").await.status, 400);
}

#[tokio::test]
async fn a_network_gets_so_many_whoever_it_says_it_is() {
    let test = with_clients().await;
    let answer = ask(&test, SOMEWHERE, "nobody").await;
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
    assert_eq!(limits(&answer), ["1000", "999"]);
    test.execute("update request_rates set used_until = used_until + interval '19.98 seconds'")
        .await;
    is_refused(&ask(&test, SOMEWHERE, "nobody").await);
    is_refused(&ask(&test, SOMEWHERE, "collection").await);
    assert_eq!(ask(&test, ELSEWHERE, "nobody").await.status, 401);
    assert_eq!(
        test.count("select count(*) from request_rates where length(subject) <> 32")
            .await,
        0
    );
}
