//! Events that were given up.

use std::time::Duration;

use serde_json::json;
use tenantry_app::billing::{apply::ApplyEvents, reconcile};
use tenantry_domain::{billing::provider::ProviderEvent, ids::CheckoutId};
use tenantry_operations::jobs::Job;
use tenantry_test_support::wait_for;

use crate::world::World;

const GIVE_UP: &str = "update stripe_events set state = 'failed', reason = 'payment_provider_unauthorized', \
     settled_at = now() where state = 'received'";
const END_JOBS: &str =
    "update jobs set state = 'failed', attempts = max_attempts, ended_at = now() where kind = 'stripe.apply'";
const STATES: &str = "select string_agg(state, ' ' order by id) from stripe_events";

async fn event(world: &World, kind: &str) -> ProviderEvent {
    let events = world.events().await;
    let found = events.into_iter().rfind(|event| event.kind == kind);
    found.unwrap_or_else(|| panic!("the stand-in has no {kind}"))
}

async fn bought(world: &World, name: &str) -> CheckoutId {
    let checkout = world.begin(name).await.unwrap();
    world.pay(checkout).await;
    checkout
}

#[test]
fn an_outage_of_three_days_is_outlasted() {
    let policy = ApplyEvents::policy();
    // Pauses are drawn between nothing and the cap; those before the cap is reached are not worth counting.
    let expected = policy.backoff_cap / 2 * (policy.max_attempts - 20);
    assert!(expected > Duration::from_secs(3 * 86_400), "{expected:?}");
}

#[tokio::test]
async fn what_was_given_up_while_the_provider_was_away_is_settled_by_a_comparison() {
    let world = World::new().await;
    bought(&world, "museum-of-outages").await;
    for kind in ["invoice.paid", "payment_intent.succeeded"] {
        world.deliver(&event(&world, kind).await).await;
    }
    world.execute(GIVE_UP).await;
    world.execute(END_JOBS).await;
    // What waits for a person goes on waiting.
    world
        .execute(
            "insert into stripe_events (id, type, object_id, object_type, livemode, payload, state, reason, created_at) \
             select 'evt_zz', type, object_id, object_type, livemode, payload, 'failed', 'status_unknown', created_at \
             from stripe_events where type = 'invoice.paid'",
        )
        .await;
    reconcile::reconcile(&world.app).await.unwrap();
    assert_eq!(world.text(STATES).await.as_deref(), Some("applied applied failed"));
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn what_was_given_up_is_settled_with_the_next_event_about_the_same_object() {
    let mut world = World::new().await;
    bought(&world, "museum-of-revival").await;
    world.deliver(&event(&world, "invoice.paid").await).await;
    world.execute(GIVE_UP).await;
    world.execute(END_JOBS).await;
    world.start_jobs();
    world.deliver(&event(&world, "invoice.payment_succeeded").await).await;
    world.settled().await;
    assert_eq!(world.text(STATES).await.as_deref(), Some("applied applied"));
    world.stop().await;
}

#[tokio::test]
async fn what_arrives_during_a_try_that_fails_for_good_is_not_given_up_with_it() {
    let mut world = World::new().await;
    let checkout = bought(&world, "museum-of-moments").await;
    let session = world.session(checkout).await;
    let subscription = world.app.payments.get_checkout(&session).await.unwrap().subscription;
    // The try stops between the invoice and its subscription for as long as this transaction lives.
    let mut held = world.app.database.system("a test holds a try").await.unwrap();
    sqlx::query("insert into stripe_objects (object_id) values ($1)")
        .bind(subscription.unwrap())
        .execute(&mut held)
        .await
        .unwrap();
    world
        .fault("GET", "/v1/subscriptions/*", json!({"status": 400}), "before", 1)
        .await;
    world.deliver(&event(&world, "invoice.paid").await).await;
    world.start_jobs();
    wait_for("a try to be under way", Duration::from_secs(30), async || {
        (world.count("select count(*) from stripe_objects").await == 1).then_some(())
    })
    .await;
    world.deliver(&event(&world, "invoice.payment_succeeded").await).await;
    drop(held);
    world.settled().await;
    let state_of = "select state from stripe_events where type = 'invoice.payment_succeeded'";
    assert_eq!(world.text(state_of).await.as_deref(), Some("applied"));
    assert_eq!(
        world
            .text("select state || ' ' || reason from stripe_events where type = 'invoice.paid'")
            .await
            .as_deref(),
        Some("failed payment_request_refused")
    );
    world.assert_bought_once().await;
    world.stop().await;
}
