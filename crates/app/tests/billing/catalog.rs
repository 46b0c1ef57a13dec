//! A catalog is applied once, and a change says whom it meets.

use serde_json::json;
use tenantry_app::billing::{
    catalog::{self, CatalogError, Webhook},
    webhook_secrets,
};

use crate::world::{CATALOG, World};

fn words(plan: &catalog::CatalogPlan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| format!("{} {change}", change.sign()))
        .collect()
}

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let world = World::without_catalog().await;
    let planned = catalog::plan(&world.app, CATALOG, Webhook::Here).await.unwrap();
    assert_eq!(
        world.count("select count(*) from products").await,
        0,
        "a plan changes nothing"
    );
    let applied = catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    assert_eq!(words(&applied), words(&planned));
    // A product, three plans and prices, and all of that but the plans at Stripe, with a webhook.
    assert_eq!(applied.changes.len(), 1 + 3 + 3 + 1 + 3 + 1, "{:#?}", words(&applied));
    let again = catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    assert_eq!(words(&again), Vec::<String>::new());
    assert_eq!(world.count("select count(*) from catalog_revisions").await, 1);
    assert_eq!(
        world
            .count("select count(*) from prices where stripe_price_id is not null")
            .await,
        3
    );
    assert_eq!(world.app.catalog.current().prices.len(), 3);

    // Stripe's deliveries are signed with a secret that only the ledger holds, sealed.
    webhook_secrets::load(&world.app).await.unwrap();
    let endpoint = world.app.payments.list_webhook_endpoints().await.unwrap().remove(0);
    let url = format!("{}/_control/webhook_endpoints/{}/secret", world.stripe.url, endpoint.id);
    let secret: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let secret = secret["secret"].as_str().unwrap().to_owned();
    let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
    let header = tenantry_stripe::sign(body, &secret.into(), world.clock_now());
    world
        .app
        .payments
        .receive_event(body, Some(&header), world.clock_now())
        .unwrap();
    world.stop().await;
}

#[tokio::test]
async fn a_change_keeps_those_who_have_bought() {
    let mut world = World::new().await;
    let checkout = world.begin("museum-of-change").await.unwrap();
    world.pay(checkout).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    let changed =
        CATALOG
            .replacen("objects: 1000", "objects: 500", 1)
            .replacen("amount_minor: 19900", "amount_minor: 24900", 1);
    let applied = catalog::apply(&world.app, &changed, Webhook::LeaveAlone, "a test")
        .await
        .unwrap();
    let words = words(&applied);
    assert!(
        words
            .iter()
            .any(|word| word.contains("version 2 (limits); 1 subscriber keeps what was bought")),
        "{words:#?}"
    );
    assert!(
        words
            .iter()
            .any(|word| word.contains("199.00 EUR no longer sold, 249.00 EUR from now on")),
        "{words:#?}"
    );
    let version = "select version::bigint from plan_versions v join subscriptions s on s.plan_version_id = v.id";
    assert_eq!(world.count(version).await, 1);
    assert!(
        catalog::plan(&world.app, &changed, Webhook::LeaveAlone)
            .await
            .unwrap()
            .changes
            .is_empty()
    );

    // Those who have it may be moved, at the price that they pay.
    let moved = changed.replacen("objects: 500", "objects: 700", 1).replacen(
        "rank: 1\n",
        "rank: 1\n        existing: move\n",
        1,
    );
    catalog::apply(&world.app, &moved, Webhook::LeaveAlone, "a test")
        .await
        .unwrap();
    assert_eq!(world.count(version).await, 3);
    assert_eq!(
        world
            .count("select (limits ->> 'objects')::bigint from entitlements")
            .await,
        700
    );
    tenantry_app::billing::reconcile::reconcile(&world.app).await.unwrap();
    assert_eq!(
        world.count(version).await,
        3,
        "the next look at Stripe moves nobody back"
    );

    // A plan that goes stays for those who have it.
    let start = moved.find("      - key: starter").unwrap();
    let end = moved.find("      - key: pro").unwrap();
    let without = format!("{}{}", &moved[..start], &moved[end..]);
    let applied = catalog::apply(&world.app, &without, Webhook::LeaveAlone, "a test")
        .await
        .unwrap();
    let said: Vec<String> = applied.changes.iter().map(ToString::to_string).collect();
    assert!(
        said.iter()
            .any(|word| word == "plan collection/starter: no longer sold; 1 subscriber keeps it"),
        "{said:#?}"
    );
    tenantry_app::billing::reconcile::reconcile(&world.app).await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from subscriptions where status = 'active'")
            .await,
        1
    );
    assert!(world.begin("another-museum").await.is_err());
    world.stop().await;
}

#[tokio::test]
async fn a_file_with_mistakes_changes_nothing() {
    let world = World::without_catalog().await;
    let wrong = CATALOG.replacen("members: 2\n", "members: -2\n", 1);
    let refused = catalog::apply(&world.app, &wrong, Webhook::Here, "a test").await;
    assert!(
        matches!(refused.map_err(|stopped| stopped.error), Err(CatalogError::Problems(problems)) if problems.0[0].code == "limit_negative")
    );
    assert_eq!(world.count("select count(*) from products").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_is_replaced_is_removed_by_an_intent() {
    let world = World::without_catalog().await;
    catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    let first = world.app.payments.list_webhook_endpoints().await.unwrap().remove(0);
    // Its secret is lost; and of the one that takes its place Stripe's answer is lost.
    world
        .execute("delete from sealed_secrets where scope = 'stripe_webhook'")
        .await;
    world
        .fault("POST", "/v1/webhook_endpoints", json!({"status": 500}), "after", 1)
        .await;
    catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    let left = world.app.payments.list_webhook_endpoints().await.unwrap();
    assert_eq!(left.len(), 1, "{left:#?}");
    assert_ne!(left[0].id, first.id);
    assert_eq!(
        world
            .count(
                "select count(*) from stripe_calls where state = 'done' and key like '%:webhook:remove:%' \
                     and purpose = 'remove a webhook endpoint that was replaced'"
            )
            .await,
        2
    );
    assert_eq!(
        world
            .count("select count(*) from sealed_secrets where scope = 'stripe_webhook'")
            .await,
        1
    );
    world.stop().await;
}

#[tokio::test]
async fn two_who_apply_at_once_make_everything_once() {
    let world = World::without_catalog().await;
    let apply = || catalog::apply(&world.app, CATALOG, Webhook::Here, "a test");
    let (one, other) = tokio::join!(apply(), apply());
    let changes = [one.unwrap().changes.len(), other.unwrap().changes.len()];
    assert!(changes.contains(&0), "{changes:?}");
    assert_eq!(
        world
            .count("select count(*) from stripe_calls where purpose = 'put a price on sale'")
            .await,
        3
    );
    assert_eq!(world.app.payments.list_webhook_endpoints().await.unwrap().len(), 1);
    world.stop().await;
}
