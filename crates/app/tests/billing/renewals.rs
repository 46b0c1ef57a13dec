//! Renewals that cannot be collected, and what their payer hears.

use serde_json::json;
use tenantry_domain::mail::Message;

use crate::{events::newest, world::World};

async fn bought_by_a_card_that_declines_renewals() -> World {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-renewals").await.unwrap();
    let session = world.session(checkout).await;
    let card = json!({"card": "4000002760003184", "authenticate": true});
    world
        .control(&format!("checkout/sessions/{session}/complete"), card)
        .await;
    let event = newest(&world, "customer.subscription.updated").await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    world.assert_bought_once().await;
    world
}

#[tokio::test]
async fn a_renewal_that_fails_and_a_contract_that_ends_are_known_by_one_event_each() {
    let world = bought_by_a_card_that_declines_renewals().await;
    world.control("clock/advance", json!({"seconds": 32 * 86_400})).await;
    let event = newest(&world, "invoice.payment_failed").await;
    world.deliver(&event).await;
    world.settled().await;
    let access = "select access from entitlements";
    assert_eq!(world.text(access).await.as_deref(), Some("grace"));
    assert_told_of_failed_renewal(&world).await;
    // By another event about the same invoice, and by each of the tries that follow, nobody is told again.
    let event = newest(&world, "customer.subscription.updated").await;
    world.deliver(&event).await;
    world.control("clock/advance", json!({"seconds": 4 * 86_400})).await;
    let event = newest(&world, "invoice.payment_failed").await;
    world.deliver(&event).await;
    world.settled().await;
    assert_told_of_failed_renewal(&world).await;
    world.control("clock/advance", json!({"seconds": 30 * 86_400})).await;
    let event = newest(&world, "customer.subscription.deleted").await;
    world.deliver(&event).await;
    world.settled().await;
    assert_eq!(world.text(access).await.as_deref(), Some("none"));
    world.stop().await;
}

/// The owner, once, with a link to where it can be paid.
async fn assert_told_of_failed_renewal(world: &World) {
    let mails = world.queued_mails().await;
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail.to, "owner@example.org");
    let Message::PaymentFailed { amount, plan, link, .. } = &mail.message else {
        panic!("{mail:?}")
    };
    assert_eq!((amount.as_str(), plan.as_str()), ("49.00 EUR", "Collection Starter"));
    assert!(link.starts_with(&world.stripe.url), "{link}");
}

#[tokio::test]
async fn whoever_does_not_want_the_mail_gets_none() {
    let world = bought_by_a_card_that_declines_renewals().await;
    world
        .execute("update users set notifications = notifications || '{\"payment_failed\": false}'")
        .await;
    world.control("clock/advance", json!({"seconds": 32 * 86_400})).await;
    let event = newest(&world, "invoice.payment_failed").await;
    world.deliver(&event).await;
    world.settled().await;
    let access = "select access from entitlements";
    assert_eq!(world.text(access).await.as_deref(), Some("grace"));
    assert!(world.queued_mails().await.is_empty());
    world.stop().await;
}
