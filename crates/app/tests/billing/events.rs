//! Events in any order, many times, or only one of them: the ledger ends the same.

use chrono::TimeDelta;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::json;
use tenantry_app::billing::{checkout::begin::BeginError, events, inbox::Receipt, schedule_reconciliation};
use tenantry_domain::{billing::provider::ProviderEvent, ids::CheckoutId};

use crate::world::World;

/// Each of these is about an object that shows the payment, and is enough when all others are lost.
const PROOFS: [&str; 6] = [
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
    "payment_intent.succeeded",
];

#[tokio::test]
async fn any_single_event_that_leads_to_a_payment_is_enough() {
    for kind in PROOFS {
        let mut world = World::new().await;
        let checkout = world.begin("museum-of-proofs").await.unwrap();
        world.pay(checkout).await;
        let event = world.events().await.into_iter().find(|event| event.kind == kind);
        let event = event.unwrap_or_else(|| panic!("the stand-in has no {kind}"));
        world.start_jobs();
        assert_eq!(world.deliver(&event).await, Receipt::Stored, "{kind}");
        assert_eq!(world.deliver(&event).await, Receipt::Duplicate, "{kind}");
        world.settled().await;
        assert_eq!(world.checkout(checkout).await.details.state, "paid", "{kind}");
        assert_eq!(
            world.text("select state from stripe_events").await.as_deref(),
            Some("applied"),
            "{kind}"
        );
        world.assert_bought_once().await;
        // One trace leads from the purchase to the operation.
        assert!(world.checkout(checkout).await.details.operation_id.is_some(), "{kind}");
        world.stop().await;
    }
}

/// Settles seconds after the page was gone through.
const GOOD_DEBIT: &str = "AT611904300234573201";
/// Is returned by the bank seconds after the page was gone through.
const BAD_DEBIT: &str = "AT861904300235473202";

/// The newest event of a type.
pub(crate) async fn newest(world: &World, kind: &str) -> ProviderEvent {
    let events = world.events().await;
    let found = events.into_iter().rfind(|event| event.kind == kind);
    found.unwrap_or_else(|| panic!("the stand-in has no {kind}"))
}

async fn pay_by_debit(world: &World, checkout: CheckoutId, iban: &str) {
    let session = world.session(checkout).await;
    let path = format!("checkout/sessions/{session}/complete");
    world.control(&path, json!({ "iban": iban })).await;
}

#[tokio::test]
async fn a_debit_buys_when_the_money_arrives_and_not_before() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-debits").await.unwrap();
    pay_by_debit(&world, checkout, GOOD_DEBIT).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    assert_eq!(world.checkout(checkout).await.details.state, "open");
    assert_eq!(world.count("select count(*) from operations").await, 0);
    // However long the bank takes, nobody else gets the name.
    world.clock.advance(TimeDelta::hours(26));
    let other = world.another_organization().await;
    let taken = world.begin_for(other, "museum-of-debits").await;
    assert!(matches!(taken, Err(BeginError::Name(_))), "{taken:?}");
    // All other events about the money are lost.
    world.control("clock/advance", json!({"seconds": 10})).await;
    let event = newest(&world, "checkout.session.async_payment_succeeded").await;
    world.deliver(&event).await;
    world.settled().await;
    assert_eq!(world.checkout(checkout).await.details.state, "paid");
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn a_debit_that_the_bank_returns_buys_nothing_and_buying_again_works() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-returns").await.unwrap();
    pay_by_debit(&world, checkout, BAD_DEBIT).await;
    let again = world.begin("museum-of-returns").await;
    assert!(matches!(again, Err(BeginError::AlreadyBought { .. })), "{again:?}");
    world.control("clock/advance", json!({"seconds": 10})).await;
    let event = newest(&world, "checkout.session.async_payment_failed").await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    let view = world.checkout(checkout).await.details;
    assert_eq!(
        (view.state.as_str(), view.failure.unwrap().0.code.as_str()),
        ("failed", "payment_failed")
    );
    assert!(!view.refund_needed);
    let again = world.begin("museum-of-returns").await.unwrap();
    world.pay(again).await;
    let event = newest(&world, "invoice.paid").await;
    world.deliver(&event).await;
    world.settled().await;
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn buying_again_finds_out_by_itself_that_a_debit_was_returned() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-silent-returns").await.unwrap();
    pay_by_debit(&world, checkout, BAD_DEBIT).await;
    world.control("clock/advance", json!({"seconds": 10})).await;
    let again = world.begin("museum-of-silent-returns").await.unwrap();
    assert_eq!(world.checkout(checkout).await.details.state, "failed");
    assert_eq!(world.checkout(again).await.details.state, "open");
    world.stop().await;
}

#[tokio::test]
async fn a_page_that_ran_out_is_known_by_its_event_alone() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-hours").await.unwrap();
    world.control("clock/advance", json!({"seconds": 3700})).await;
    let event = newest(&world, "checkout.session.expired").await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    assert_eq!(world.checkout(checkout).await.details.state, "expired");
    world.stop().await;
}

#[tokio::test]
async fn an_object_on_the_way_that_is_not_there_yet_is_asked_for_again() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-replicas").await.unwrap();
    world.pay(checkout).await;
    let event = newest(&world, "invoice.paid").await;
    world
        .fault("GET", "/v1/subscriptions/*", json!({"status": 404}), "before", 1)
        .await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn a_page_of_ours_that_the_provider_lost_is_seen() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-losses").await.unwrap();
    let session = world.session(checkout).await;
    world.control("clock/advance", json!({"seconds": 3700})).await;
    let event = newest(&world, "checkout.session.expired").await;
    let path = format!("/v1/checkout/sessions/{session}");
    world.fault("GET", &path, json!({"status": 404}), "before", 1).await;
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    let stored = world.text("select state || ' ' || reason from stripe_events").await;
    assert_eq!(stored.as_deref(), Some("failed object_gone"));
    world.stop().await;
}

#[tokio::test]
async fn events_that_lost_their_job_are_found_by_a_comparison() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-crashes").await.unwrap();
    world.pay(checkout).await;
    let event = newest(&world, "customer.subscription.created").await;
    world.deliver(&event).await;
    let mut tx = world.app.database.system("a test breaks a job").await.unwrap();
    sqlx::query(
        "update jobs set state = 'failed', attempts = max_attempts, ended_at = now() where kind = 'stripe.apply'",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    world.start_jobs();
    schedule_reconciliation(&world.app).await.unwrap();
    world.wait_for_jobs("reconcile.stripe").await;
    world.settled().await;
    assert_eq!(
        world.text("select state from stripe_events").await.as_deref(),
        Some("applied")
    );
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn a_comparison_goes_on_page_by_page() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-pages").await.unwrap();
    // Older ones, more than one page of them, about pages that the provider does not have.
    let mut tx = world.app.database.system("a test fills the ledger").await.unwrap();
    sqlx::query(
        "insert into checkouts (id, organization_id, product, price_id, state, refund_needed, stripe_session_id, \
             expires_at) \
         select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, organization_id, product, price_id, \
             'failed', true, 'cs_test_lost' || n, expires_at \
         from checkouts, generate_series(1, 60) n where id = $1",
    )
    .bind(checkout.uuid())
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    world.pay(checkout).await;
    world.start_jobs();
    schedule_reconciliation(&world.app).await.unwrap();
    world.wait_for_jobs("reconcile.stripe").await;
    world.assert_bought_once().await;
    // Three pages of checkouts and the end of them, the end of the refunds, one contract, the end of those, and
    // nothing that was given up.
    let jobs = "select count(*) from jobs where kind = 'reconcile.stripe' and state = 'done'";
    assert_eq!(world.count(jobs).await, 8);
    world.stop().await;
}

#[tokio::test]
async fn five_of_each_in_any_order_with_a_stalled_fetch_make_one_tenant() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-chaos").await.unwrap();
    world.pay(checkout).await;
    let events = world.events().await;
    assert!(events.len() >= 6, "{}", events.len());
    let mut deliveries: Vec<_> = events.iter().cycle().take(events.len() * 5).collect();
    deliveries.shuffle(&mut StdRng::seed_from_u64(7));
    // The first answer about the subscription comes after everything else has been settled, or not at all.
    world
        .fault("GET", "/v1/subscriptions/*", json!({"hang": 1}), "after", 1)
        .await;
    world.start_jobs();
    for event in deliveries {
        world.deliver(event).await;
    }
    world.settled().await;
    world.assert_bought_once().await;
    assert_eq!(world.checkout(checkout).await.details.state, "paid");
    assert_eq!(
        world
            .count("select count(*) from stripe_events where state = 'failed'")
            .await,
        0
    );
    assert_eq!(
        world
            .count("select count(*) from stripe_objects where applied_fetch_no > next_fetch_no")
            .await,
        0
    );
    world.stop().await;
}

#[tokio::test]
async fn lost_events_are_healed_by_a_comparison() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-silence").await.unwrap();
    world.pay(checkout).await;
    let found = tenantry_app::billing::reconcile::reconcile(&world.app).await.unwrap();
    assert!(found.failed.is_empty() && found.unanswered.is_empty(), "{found:?}");
    world.assert_bought_once().await;
    // Polling finds what nobody delivered, and changes nothing any more.
    let mut world = world;
    world.start_jobs();
    assert!(tenantry_app::billing::polling::poll(&world.app).await.unwrap() >= 6);
    world.settled().await;
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn events_about_nothing_are_kept_with_their_reason() {
    let world = World::new().await;
    let mut event = {
        let checkout = world.begin("museum-of-nothing").await.unwrap();
        world.pay(checkout).await;
        world.events().await.remove(0)
    };
    let strange = |id: &str, kind: &str, livemode: bool| {
        json!({"id": id, "object": "event", "type": kind, "created": 1_800_000_000, "livemode": livemode,
            "data": {"object": {"id": "in_nobody", "object": "invoice"}}})
        .to_string()
    };
    for (id, kind, livemode, reason) in [
        ("evt_type", "balance.available", false, "type_not_handled"),
        ("evt_live", "invoice.paid", true, "livemode_mismatch"),
    ] {
        event.payload = strange(id, kind, livemode);
        assert_eq!(world.deliver(&event).await, Receipt::Stored);
        let stored = events::list(&world.app, Some("ignored"), None, 10).await.unwrap();
        assert!(
            stored
                .iter()
                .any(|row| row.id == id && row.reason.as_deref() == Some(reason)),
            "{stored:?}"
        );
    }
    // An object that Stripe does not have.
    event.payload = strange("evt_gone", "invoice.paid", false);
    world.deliver(&event).await;
    let mut world = world;
    world.start_jobs();
    world.settled().await;
    let gone = world
        .text("select state || ' ' || reason from stripe_events where id = 'evt_gone'")
        .await;
    assert_eq!(gone.as_deref(), Some("ignored object_gone"));
    world.stop().await;
}

#[tokio::test]
async fn a_price_in_no_catalog_is_seen_and_a_replay_delivers_after_mending() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-prices").await.unwrap();
    let price = world
        .text("select stripe_price_id from prices where lookup_key = 'collection_starter_month_eur'")
        .await;
    {
        let mut tx = world.app.database.system("a test hides a price").await.unwrap();
        sqlx::query("update prices set stripe_price_id = 'price_hidden' where stripe_price_id = $1")
            .bind(&price)
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    world.pay(checkout).await;
    let event = world
        .events()
        .await
        .into_iter()
        .find(|event| event.kind == "invoice.paid")
        .unwrap();
    world.start_jobs();
    world.deliver(&event).await;
    world.settled().await;
    let view = world.checkout(checkout).await;
    assert_eq!(
        (
            view.details.state.as_str(),
            view.details.failure.unwrap().0.code.as_str()
        ),
        ("failed", "price_not_in_catalog")
    );
    let stored = events::list(&world.app, Some("failed"), None, 10).await.unwrap();
    assert_eq!(stored[0].reason.as_deref(), Some("price_not_in_catalog"));
    assert_eq!(world.count("select count(*) from operations").await, 0);

    let mut tx = world.app.database.system("a test mends a price").await.unwrap();
    sqlx::query("update prices set stripe_price_id = $1 where stripe_price_id = 'price_hidden'")
        .bind(&price)
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    events::replay(&world.app, &event.id, "an operator", None)
        .await
        .unwrap();
    world.settled().await;
    let view = world.checkout(checkout).await;
    assert!(view.details.failure.is_none() && view.details.state == "paid");
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn a_contract_that_runs_again_has_its_failed_tenant_looked_at() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-pauses").await.unwrap();
    world.pay(checkout).await;
    world.start_jobs();
    let event = newest(&world, "customer.subscription.created").await;
    world.deliver(&event).await;
    world.settled().await;
    // Making it failed, and when its next attempt was due the contract did not allow it to run.
    let mut tx = world.app.database.system("a test pauses a contract").await.unwrap();
    for statement in [
        "update entitlements set access = 'none'",
        "update tenants set state = 'provisioning', desired = 'suspended'",
        "update tenants set state = 'failed', attempt = 1, retry_at = now() - interval '1 hour'",
        "delete from jobs where kind = 'tenant.converge'",
    ] {
        sqlx::query(statement).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();

    schedule_reconciliation(&world.app).await.unwrap();
    world.wait_for_jobs("reconcile.stripe").await;
    world.settled().await;
    assert_eq!(
        world.text("select desired from tenants").await.as_deref(),
        Some("running")
    );
    let looks = "select count(*) from jobs where kind = 'tenant.converge' and state = 'queued' and run_at <= now()";
    assert_eq!(world.count(looks).await, 1);
    world.stop().await;
}

#[tokio::test]
async fn settled_events_are_swept_away_and_the_newest_stays() {
    let world = World::new().await;
    let mut tx = world.app.database.system("a test fills the inbox").await.unwrap();
    sqlx::query(
        "insert into stripe_events (id, type, livemode, payload, state, created_at, settled_at) \
         select 'evt_' || days || state, 'invoice.paid', false, '{}', state, now() - days * interval '1 day', \
             now() - days * interval '1 day' \
         from unnest(array[10, 100, 200]) days, unnest(array['applied', 'ignored', 'failed']) state",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    tenantry_app::sweep::run(&world.app).await.unwrap();
    assert_eq!(world.count("select count(*) from stripe_events").await, 3 + 2);
    let mut tx = world.app.database.system("a test ages the inbox").await.unwrap();
    sqlx::query(
        "update stripe_events set settled_at = settled_at - interval '1 year', created_at = created_at - interval '1 year'",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    tenantry_app::sweep::run(&world.app).await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from stripe_events where state <> 'failed'")
            .await,
        2
    );
    world.stop().await;
}
