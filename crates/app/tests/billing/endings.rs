//! Contracts that end before anybody here has heard of them, or before anything was made.

use tenantry_app::billing::refunds;
use tenantry_domain::{billing::provider::IdempotencyKey, ids::CheckoutId};

use crate::world::World;

/// Ends the subscription of a checkout at Stripe, as by hand.
async fn end_at_stripe(world: &World, checkout: CheckoutId) {
    let session = world.session(checkout).await;
    let subscription = world.app.payments.get_checkout(&session).await.unwrap().subscription;
    let key = IdempotencyKey("by hand".to_owned());
    world
        .app
        .payments
        .cancel_subscription(&subscription.unwrap(), &key)
        .await
        .unwrap();
}

async fn deliver_all(world: &World) {
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
}

async fn assert_name_is_free(world: &World, name: &str) {
    assert_eq!(world.count("select count(*) from domains").await, 0);
    assert_eq!(
        world
            .count("select count(*) from tenants where state <> 'deleted'")
            .await,
        0
    );
    assert_eq!(world.count("select count(*) from operations").await, 0);
    let other = world.another_organization().await;
    world.begin_for(other, name).await.unwrap();
}

#[tokio::test]
async fn what_ended_before_anybody_knew_gives_name_and_money_back() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-regrets").await.unwrap();
    world.pay(checkout).await;
    end_at_stripe(&world, checkout).await;
    world.start_jobs();
    deliver_all(&world).await;
    // Whoever waits on the page reads how it ended.
    let view = world.checkout(checkout).await.details;
    assert_eq!(
        (view.state.as_str(), view.failure.unwrap().0.code.as_str()),
        ("failed", "contract_ended")
    );
    assert!(view.refund_needed && view.host.is_none());
    assert_name_is_free(&world, "museum-of-regrets").await;
    let sale = refunds::refund(&world.app, checkout, "a test", None).await.unwrap();
    assert!(sale.refunded_at.is_some());
    world.stop().await;
}

#[tokio::test]
async fn what_ended_before_its_tenant_was_begun_gives_the_name_back() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-hesitation").await.unwrap();
    world.pay(checkout).await;
    world.start_jobs();
    deliver_all(&world).await;
    // As when the contract did not allow anything to run at the time.
    world.execute("delete from operations").await;
    end_at_stripe(&world, checkout).await;
    deliver_all(&world).await;
    let view = world.checkout(checkout).await.details;
    assert_eq!(
        (view.state.as_str(), view.failure.unwrap().0.code.as_str()),
        ("failed", "contract_ended")
    );
    let kept = "select count(*) from checkouts where state = 'paid' and subscription_id is not null";
    assert_eq!(world.count(kept).await, 1, "what was paid stays paid");
    assert_name_is_free(&world, "museum-of-hesitation").await;
    world.stop().await;
}
