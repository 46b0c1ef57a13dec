//! What Stripe tells may come often, late, out of order, or not at all.

use serde_json::{Value, json};
use tenantry_test_support::wait_for;

use crate::harness::{Customer, Installation, PATIENCE, STARTER, audit, unique};

#[tokio::test]
async fn each_event_five_times_in_random_order_with_a_stalled_fetch_makes_one_tenant() {
    let (installation, server) = Installation::start().await;
    installation
        .stripe
        .disturb_deliveries(json!({"copies": 5, "shuffle_ms": 1500, "seed": 7}))
        .await;
    // What is learned from these answers is old when it arrives.
    for path in ["/v1/checkout/sessions/*", "/v1/subscriptions/*"] {
        let stall = json!({"method": "GET", "path": path, "failure": {"hang": 3}, "count": 1});
        installation.stripe.add_fault(stall).await;
    }
    let (customer, checkout, _) = pay(&installation).await;
    customer.until_tenant_is(&checkout, "active").await;
    until_everything_is_delivered(&installation).await;
    one_purchase(&installation, &checkout).await;
    server.stop().await;
}

#[tokio::test]
async fn lost_events_are_made_good_by_comparing() {
    let (installation, server) = Installation::start().await;
    installation.stripe.disturb_deliveries(json!({"drop": ["*"]})).await;
    let (customer, checkout, _) = pay(&installation).await;
    assert_eq!(customer.checkout(&checkout).await["state"], "open");
    assert_eq!(installation.ledger.count("select count(*) from stripe_events").await, 0);
    server.kill().await;

    // A server compares when it starts, and then again and again.
    let server = installation.serve().await;
    customer.until_tenant_is(&checkout, "active").await;
    one_purchase(&installation, &checkout).await;
    server.stop().await;
}

#[tokio::test]
async fn two_tabs_paying_for_one_purchase_make_one_tenant_and_a_refund() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Doubles").await;
    let name = unique("twice");
    let first = customer.begin_checkout(STARTER, &name).await.expect("a checkout");
    let first_session = session_of(&installation, &first).await;
    // In one tab somebody pays while in the other one *Buy* is pressed again, and what that opens is paid as well.
    installation.stripe.disturb_deliveries(json!({"paused": true})).await;
    let (paid, second) = tokio::join!(
        installation.stripe.pay(&first_session),
        customer.begin_checkout(STARTER, &name)
    );
    if let Ok(second) = &second {
        let session = session_of(&installation, second).await;
        let paid_again = installation.stripe.pay(&session).await;
        assert!(paid.is_ok() || paid_again.is_ok(), "one of the pages takes the money");
    }
    installation.stripe.flush_deliveries().await;
    customer.until_tenant_is(&first, "active").await;
    until_everything_is_delivered(&installation).await;
    audit(&installation).await;
    assert_eq!(
        installation
            .ledger
            .count("select count(*) from tenants where state = 'active'")
            .await,
        1
    );
    assert_eq!(installation.ledger.count("select count(*) from operations").await, 1);
    let paid = installation.stripe.list("subscriptions").await.len();
    let refunds = installation
        .ledger
        .count("select count(*) from checkouts where refund_needed")
        .await;
    assert_eq!(
        usize::try_from(refunds).expect("a count"),
        paid - 1,
        "each payment but one is to be refunded"
    );
    server.stop().await;
}

#[tokio::test]
async fn of_two_checkouts_racing_for_a_name_one_wins() {
    let (installation, server) = Installation::start().await;
    let (one, other) = tokio::join!(
        Customer::sign_up(&installation, "Museum of Speed"),
        Customer::sign_up(&installation, "Museum of Haste"),
    );
    for _ in 0..5 {
        let name = unique("wanted");
        let (left, right) = tokio::join!(one.begin_checkout(STARTER, &name), other.begin_checkout(STARTER, &name));
        let refused = match (left, right) {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("one of them wins: {both:?}"),
        };
        assert_eq!((refused.status, refused.code.as_str()), (409, "name_taken"));
    }
    server.stop().await;
}

/// Signs up, begins a checkout, pays for it.
async fn pay(installation: &Installation) -> (Customer, Value, String) {
    let customer = Customer::sign_up(installation, "Museum of Patience").await;
    let checkout = customer
        .begin_checkout(STARTER, &unique("site"))
        .await
        .expect("a checkout");
    let session = session_of(installation, &checkout).await;
    installation.stripe.pay(&session).await.expect("a payment");
    (customer, checkout, session)
}

async fn session_of(installation: &Installation, checkout: &Value) -> String {
    installation
        .ledger
        .session_of(checkout["id"].as_str().expect("an id"))
        .await
}

async fn until_everything_is_delivered(installation: &Installation) {
    wait_for("every delivery", PATIENCE, async || {
        let waiting = installation
            .stripe
            .deliveries()
            .await
            .iter()
            .filter(|delivery| delivery["state"] == "pending" || delivery["state"] == "waiting")
            .count();
        (waiting == 0).then_some(())
    })
    .await;
}

/// One tenant, one subscription, one operation.
async fn one_purchase(installation: &Installation, checkout: &Value) {
    audit(installation).await;
    let tenant = checkout["tenant_id"].as_str().expect("an id");
    assert_eq!(installation.ledger.operations_of(tenant, "provision").await.len(), 1);
    assert_eq!(installation.ledger.count("select count(*) from operations").await, 1);
    assert_eq!(installation.ledger.count("select count(*) from tenants").await, 1);
    assert_eq!(installation.ledger.count("select count(*) from subscriptions").await, 1);
    assert_eq!(installation.stripe.list("subscriptions?status=all").await.len(), 1);
}
