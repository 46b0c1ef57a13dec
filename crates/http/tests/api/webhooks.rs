//! Where payments enter: what is believed, what is refused and how.

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use secrecy::SecretString;
use serde_json::json;
use tenantry_domain::clock::Clock;

use crate::support::{Answer, TestApp};

const PATH: &str = "/webhooks/stripe";

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn event(id: &str, kind: &str) -> Vec<u8> {
    json!({
        "id": id, "object": "event", "type": kind, "api_version": "2026-08-26.dahlia", "created": 1_800_000_000,
        "livemode": false, "data": { "object": { "id": "in_1", "object": "invoice" } },
    })
    .to_string()
    .into_bytes()
}

async fn application() -> TestApp {
    let test = TestApp::start().await;
    test.app
        .payments
        .trust_webhook_secrets(vec![secret("whsec_old"), secret("whsec_new")]);
    test
}

async fn deliver(test: &TestApp, body: &[u8], signature: Option<&str>) -> Answer {
    let headers: Vec<_> = signature.map(|value| ("stripe-signature", value)).into_iter().collect();
    let mut provider = test.browser();
    provider.origin = None;
    provider.send(Method::POST, PATH, &headers, body.to_vec()).await
}

fn signed(body: &[u8], by: &str, at: DateTime<Utc>) -> String {
    tenantry_stripe::sign(body, &secret(by), at)
}

#[tokio::test]
async fn a_trace_from_outside_begins_anew_also_behind_a_trusted_proxy() {
    const FOREIGN: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let test = application().await;
    let body = event("evt_1", "invoice.paid");
    let (signature, trace) = (
        signed(&body, "whsec_new", test.clock.now()),
        format!("00-{FOREIGN}-00f067aa0ba902b7-01"),
    );
    let mut provider = test.browser_from([10, 1, 2, 3]);
    provider.origin = None;
    let headers = [
        ("stripe-signature", signature.as_str()),
        ("traceparent", trace.as_str()),
    ];
    let answer = provider.send(Method::POST, PATH, &headers, body).await;
    assert_eq!(answer.status, 200);
    let kept = "select count(*) from stripe_events where trace_id is not null";
    assert_eq!(test.count(kept).await, 1);
    let foreign = "select count(*) from stripe_events where trace_id like '%4bf92f3577b34da6a3ce929d0e0e4736%'";
    assert_eq!(test.count(foreign).await, 0);
}

#[tokio::test]
async fn a_signed_event_is_stored_once_with_its_job() {
    let test = application().await;
    let body = event("evt_1", "invoice.paid");
    for by in ["whsec_old", "whsec_new"] {
        let answer = deliver(&test, &body, Some(&signed(&body, by, test.clock.now()))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(
        test.count("select count(*) from stripe_events where state = 'received'")
            .await,
        1
    );
    assert_eq!(
        test.count("select count(*) from jobs where kind = 'stripe.apply'")
            .await,
        1
    );
    // Another event about the same object is looked at by the same job.
    let body = event("evt_2", "invoice.payment_succeeded");
    deliver(&test, &body, Some(&signed(&body, "whsec_new", test.clock.now()))).await;
    assert_eq!(test.count("select count(*) from stripe_events").await, 2);
    assert_eq!(
        test.count("select count(*) from jobs where kind = 'stripe.apply'")
            .await,
        1
    );
    // One that says nothing about a purchase is kept without a job.
    let body = event("evt_3", "balance.available");
    assert_eq!(
        deliver(&test, &body, Some(&signed(&body, "whsec_new", test.clock.now())))
            .await
            .status,
        200
    );
    assert_eq!(
        test.count("select count(*) from stripe_events where state = 'ignored'")
            .await,
        1
    );
    // The trace that began with the delivery goes on in the job.
    assert_eq!(
        test.count("select count(*) from jobs where kind = 'stripe.apply' and trace_id like '00-%'")
            .await,
        1
    );
    test.stop().await;
}

#[tokio::test]
async fn what_is_not_believed_is_refused_and_leaves_nothing() {
    let test = application().await;
    let (body, now) = (event("evt_1", "invoice.paid"), test.clock.now());
    let stale = signed(&body, "whsec_new", now - TimeDelta::seconds(301));
    let future = signed(&body, "whsec_new", now + TimeDelta::seconds(301));
    let by_nobody = signed(&body, "whsec_nobody", now);
    let of_other_bytes = signed(b"{}", "whsec_new", now);
    for (signature, reason) in [
        (None, "signature_missing"),
        (Some("t=1"), "signature_malformed"),
        (Some(stale.as_str()), "signature_stale"),
        (Some(future.as_str()), "signature_future"),
        (Some(by_nobody.as_str()), "signature_wrong"),
        (Some(of_other_bytes.as_str()), "signature_wrong"),
    ] {
        let answer = deliver(&test, &body, signature).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "signature_refused"),
            "{reason}"
        );
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
    for body in [
        &b"\xff\xfe"[..],
        b"{}",
        b"[]",
        br#"{"id":"evt\u0000","type":"invoice.paid"}"#,
    ] {
        let answer = deliver(&test, body, Some(&signed(body, "whsec_new", now))).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "body_refused"),
            "{body:?}"
        );
    }
    let long = vec![b' '; (1 << 20) + 1];
    assert_eq!(
        deliver(&test, &long, Some(&signed(&long, "whsec_new", now)))
            .await
            .code(),
        "body_too_large"
    );
    let twice = [("stripe-signature", by_nobody.as_str()), ("x", "y")];
    assert_eq!(
        test.browser()
            .send(Method::POST, PATH, &twice, body.clone())
            .await
            .status,
        400
    );
    assert_eq!(test.browser().get(PATH).await.status, 405);
    assert_eq!(test.count("select count(*) from stripe_events").await, 0);
    assert_eq!(
        test.count("select count(*) from jobs where kind = 'stripe.apply'")
            .await,
        0
    );
    test.stop().await;
}

#[tokio::test]
async fn without_any_secret_the_provider_is_asked_to_come_again() {
    let test = TestApp::start().await;
    let body = event("evt_1", "invoice.paid");
    let answer = deliver(&test, &body, Some(&signed(&body, "whsec_new", test.clock.now()))).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "temporarily_unavailable")
    );
    test.stop().await;
}
