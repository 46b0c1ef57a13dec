//! Stripe answers 401, 402, 409, 429, 500 or nothing, and nothing is lost or made twice.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::billing::checkout::begin::BeginError;
use tenantry_domain::billing::PaymentError;
use tenantry_postgres::billing::calls;
use tenantry_test_support::wait_for;

use crate::world::World;

/// How many payment pages Stripe has for our checkouts.
async fn pages(world: &World) -> usize {
    let url = format!("{}/v1/checkout/sessions?limit=100", world.stripe.url);
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(&world.stripe.api_key)
        .send()
        .await
        .unwrap();
    let list: serde_json::Value = answer.json().await.unwrap();
    list["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_failure_after_the_effect_does_not_open_a_second_page() {
    for failure in [json!({"status": 500}), json!("close")] {
        let world = World::new().await;
        world
            .fault("POST", "/v1/checkout/sessions", failure.clone(), "after", 1)
            .await;
        let checkout = world.begin("museum-of-faults").await.unwrap();
        assert_eq!(world.checkout(checkout).await.details.state, "open", "{failure}");
        assert!(
            world.checkout(checkout).await.details.payment_url.is_some(),
            "{failure}"
        );
        assert_eq!(pages(&world).await, 1, "{failure}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_failure_before_the_effect_is_tried_again() {
    for status in [409, 429, 500] {
        let world = World::new().await;
        world
            .fault("POST", "/v1/checkout/sessions", json!({"status": status}), "before", 1)
            .await;
        world
            .begin("museum-of-patience")
            .await
            .unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!(pages(&world).await, 1, "{status}");
        assert_eq!(
            world
                .count("select count(*) from stripe_calls where state = 'sent'")
                .await,
            0,
            "{status}"
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_and_the_button_works_again() {
    let world = World::new().await;
    world
        .fault("POST", "/v1/checkout/sessions", json!({"hang": 3}), "after", 1)
        .await;
    let begun = world.begin("museum-of-waiting").await;
    assert!(
        matches!(begun, Err(BeginError::Payment(PaymentError::Timeout))),
        "{begun:?}"
    );
    // The attempt whose answer never came is replaced, and its page, which nobody has seen, is closed in time.
    let again = world.begin("museum-of-waiting").await.unwrap();
    assert_eq!(world.checkout(again).await.details.state, "open");
    assert_eq!(world.count("select count(*) from tenants").await, 1);
    world.stop().await;
}

#[tokio::test]
async fn a_request_that_is_refused_for_good_ends_the_checkout() {
    let world = World::new().await;
    for status in [400, 402] {
        world
            .fault("POST", "/v1/checkout/sessions", json!({"status": status}), "before", 1)
            .await;
        let begun = world.begin("museum-of-refusals").await;
        assert!(matches!(begun, Err(BeginError::Payment(_))), "{status}: {begun:?}");
        assert_eq!(
            world.count("select count(*) from checkouts where state = 'open'").await,
            0,
            "{status}"
        );
        assert_eq!(world.count("select count(*) from domains").await, 0, "{status}");
    }
    world.begin("museum-of-refusals").await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn a_key_that_is_refused_keeps_events_waiting_until_it_is_mended() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-keys").await.unwrap();
    world.pay(checkout).await;
    let event = world
        .events()
        .await
        .into_iter()
        .find(|event| event.kind == "invoice.paid")
        .unwrap();
    world
        .fault("GET", "/v1/invoices/*", json!({"status": 401}), "before", 1)
        .await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    world.assert_bought_once().await;
    assert_eq!(
        world.text("select state from stripe_events").await.as_deref(),
        Some("applied")
    );
    assert!(world.count("select attempts::bigint from stripe_events").await >= 2);
    world.stop().await;
}

#[tokio::test]
async fn whoever_waits_for_a_write_goes_on_when_it_is_let_go_of() {
    let world = World::new().await;
    let key = format!("customer:{}", world.organization);
    let now = world.clock_now();
    let mut tx = world.app.database.system("a test takes a write in hand").await.unwrap();
    calls::intend(&mut tx, &key, "as another replica", None, &[0; 32], "another-replica")
        .await
        .unwrap();
    let until = now + TimeDelta::minutes(1);
    assert!(calls::lease(&mut tx, &key, now, until).await.unwrap());
    tx.commit().await.unwrap();

    let buying = async {
        world.begin("museum-of-turns").await.unwrap();
        Instant::now()
    };
    let letting_go = async {
        wait_for("somebody who listens", Duration::from_secs(30), async || {
            let listening = "select count(*) from pg_stat_activity where datname = current_database() \
                             and query like 'LISTEN%stripe_call_ended%'";
            (world.count(listening).await == 1).then_some(())
        })
        .await;
        let mut tx = world.app.database.system("a test lets go of a write").await.unwrap();
        calls::end_lease(&mut tx, &key).await.unwrap();
        tx.commit().await.unwrap();
        Instant::now()
    };
    let (bought, let_go) = tokio::join!(buying, letting_go);
    // Who is not told looks again after five seconds.
    let waited = bought - let_go;
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    world.stop().await;
}
