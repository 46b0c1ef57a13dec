//! A payment that bought nothing goes back, by an operator or by hand.

use serde_json::json;
use tenantry_app::billing::{
    reconcile,
    refunds::{self, RefundError},
    sales,
};
use tenantry_app::provisioning;
use tenantry_domain::{
    billing::provider::{IdempotencyKey, References, RefundRequest},
    ids::{CheckoutId, TenantId},
    mail::Message,
};

use crate::{checkouts::twin_of, world::World};

/// Two payments for one purchase, of which one is to go back; the checkout that it was made in.
async fn paid_twice(world: &mut World, name: &str) -> CheckoutId {
    let first = world.begin(name).await.unwrap();
    let second = twin_of(world, first).await;
    world.pay(first).await;
    world.pay(second).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    let flagged = world
        .text("select id::text from checkouts where refund_needed")
        .await
        .unwrap();
    CheckoutId::from_uuid(flagged.parse().unwrap())
}

#[tokio::test]
async fn an_operator_sends_a_payment_back_once() {
    let mut world = World::new().await;
    let checkout = paid_twice(&mut world, "museum-of-refunds").await;
    // Stripe does it, and its answer is lost.
    world
        .fault("POST", "/v1/refunds", json!({"status": 500}), "after", 1)
        .await;
    for _ in 0..2 {
        let sale = refunds::refund(&world.app, checkout, "a test", None).await.unwrap();
        assert!(!sale.refund_needed && sale.refunded_at.is_some());
    }
    assert_eq!(refunds_at_stripe(&world).await, 1);
    assert_eq!(sales::count_refunds(&world.app).await.unwrap(), 0);
    let intents = "select count(*) from stripe_calls where key like 'checkout:%:refund:%' and state = 'done'";
    assert_eq!(world.count(intents).await, 1);
    // To the operator that it is to go back, to whoever paid that it went; both know the plan by its name.
    let mails = world.queued_mails().await;
    let plans: Vec<_> = mails
        .iter()
        .filter_map(|mail| match &mail.message {
            Message::RefundNeeded { plan, .. } | Message::PaymentRefunded { plan, .. } => Some(plan.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(plans, ["Collection Starter"; 2]);
    for action in [
        "select count(*) from audit_events where action = 'refund.requested'",
        "select count(*) from audit_events where action = 'checkout.refunded'",
        "select count(*) from jobs where kind = 'mail.send' and unique_key like 'mail:refunded:%'",
    ] {
        assert_eq!(world.count(action).await, 1, "{action}");
    }
    // What has gone back is neither flagged nor delivered by a later look.
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    reconcile::reconcile(&world.app).await.unwrap();
    assert_eq!(sales::count_refunds(&world.app).await.unwrap(), 0);
    world.assert_bought_once().await;
    let other = world.begin("museum-of-nothing").await.unwrap();
    let refused = refunds::refund(&world.app, other, "a test", None).await;
    assert!(matches!(refused, Err(RefundError::NotNeeded)), "{refused:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_payment_sent_back_by_hand_at_stripe_is_recognised() {
    for by_event in [true, false] {
        let mut world = World::new().await;
        paid_twice(&mut world, "museum-of-hands").await;
        let subscription = world
            .text("select refund_of from checkouts where refund_needed")
            .await
            .unwrap();
        let invoice = world
            .app
            .payments
            .get_subscription(&subscription)
            .await
            .unwrap()
            .latest_invoice
            .unwrap();
        let request = RefundRequest {
            payment_intent: world
                .app
                .payments
                .payment_intent_of_invoice(&invoice)
                .await
                .unwrap()
                .unwrap(),
            references: References::default(),
        };
        world
            .app
            .payments
            .refund_payment(&request, &IdempotencyKey("by hand".to_owned()))
            .await
            .unwrap();
        if by_event {
            let events = world.events().await;
            let event = events.iter().find(|event| event.kind == "charge.refunded").unwrap();
            world.deliver(event).await;
            world.settled().await;
        } else {
            reconcile::reconcile(&world.app).await.unwrap();
        }
        assert_eq!(sales::count_refunds(&world.app).await.unwrap(), 0, "{by_event}");
        assert_eq!(
            world
                .count("select count(*) from checkouts where refunded_at is not null")
                .await,
            1
        );
        world.stop().await;
    }
}

#[tokio::test]
async fn nobody_goes_on_paying_for_a_tenant_that_was_removed() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-endings").await.unwrap();
    world.pay(checkout).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    let tenant = TenantId::from_uuid(world.checkout(checkout).await.details.tenant_id.unwrap());
    world.execute("update tenants set attempt = 3, retry_at = now()").await;
    for _ in 0..2 {
        provisioning::remove(&world.app, tenant, "museum-of-endings", "a test", None)
            .await
            .unwrap();
    }
    world.settled().await;
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    assert_eq!(
        world
            .count("select count(*) from subscriptions where status = 'canceled' and ended_at is not null")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from tenants where attempt = 0 and retry_at is null and desired = 'deleted'")
            .await,
        1
    );
    world.stop().await;
}

async fn refunds_at_stripe(world: &World) -> usize {
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/refunds", world.stripe.url))
        .bearer_auth(&world.stripe.api_key)
        .send()
        .await
        .unwrap();
    let list: serde_json::Value = answer.json().await.unwrap();
    list["data"].as_array().unwrap().len()
}
