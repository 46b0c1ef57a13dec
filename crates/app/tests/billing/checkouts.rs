//! Attempts to buy, and two at once.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::{
    billing::{
        checkout::{self, begin::BeginError},
        sales,
    },
    provisioning::CheckNameError,
};
use tenantry_domain::{
    billing::{
        checkout::CheckoutState,
        provider::{IdempotencyKey, References, SessionRequest},
    },
    ids::{CheckoutId, TenantId},
};
use tenantry_postgres::billing::checkouts;
use tenantry_test_support::wait_for;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn two_tabs_pay_once() {
    let mut world = World::new().await;
    let first = world.begin("museum-of-tabs").await.unwrap();
    let second = world.begin("museum-of-tabs").await.unwrap();
    // One purchase, one tenant, one page that can be paid on.
    assert_eq!(world.checkout(first).await.details.state, "expired");
    assert_eq!(
        world.checkout(second).await.details.tenant_id,
        world.checkout(first).await.details.tenant_id
    );
    world.pay(second).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    assert_eq!(world.checkout(second).await.details.state, "paid");
    assert_eq!(world.checkout(first).await.details.state, "expired");
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn pressing_twice_at_once_leaves_one_page_to_pay_on() {
    let world = World::new().await;
    let first = world.begin("museum-of-clicks").await.unwrap();
    // Both close the first page; one of them is told to wait, and the other one opens its page meanwhile.
    let conflict = json!({"status": 409});
    world
        .fault("POST", "/v1/checkout/sessions/*/expire", conflict, "before", 1)
        .await;
    let (one, other) = tokio::join!(world.begin("museum-of-clicks"), world.begin("museum-of-clicks"));
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    assert_eq!(world.checkout(first).await.details.state, "expired");
    let open = world
        .text("select stripe_session_id from checkouts where state = 'open'")
        .await;
    assert_eq!(open_pages(&world).await, Vec::from_iter(open));
    assert_eq!(world.count("select count(*) from tenants").await, 1);
    world.stop().await;
}

#[tokio::test]
async fn what_is_bought_cannot_be_paid_for_on_another_page() {
    let mut world = World::new().await;
    let first = world.begin("museum-of-leftovers").await.unwrap();
    let second = twin_of(&world, first).await;
    assert_eq!(open_pages(&world).await.len(), 2);
    world.pay(second).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    world.wait_for_jobs("checkout.expire").await;
    assert_eq!(open_pages(&world).await, Vec::<String>::new());
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn calling_off_while_the_page_is_made_leaves_no_page_to_pay_on() {
    let world = World::new().await;
    // The page is made, and its answer takes a while.
    world
        .fault("POST", "/v1/checkout/sessions", json!({"hang": 1}), "after", 1)
        .await;
    let calling_off = async {
        let id = wait_for("the checkout to be written", Duration::from_secs(10), async || {
            world.text("select id::text from checkouts").await
        })
        .await;
        let checkout = CheckoutId::from_uuid(id.parse().unwrap());
        checkout::cancel::cancel(&world.app, world.organization, checkout, "somebody", None)
            .await
            .unwrap();
        checkout
    };
    let (begun, checkout) = tokio::join!(world.begin("museum-of-second-thoughts"), calling_off);
    assert!(matches!(begun, Err(BeginError::Superseded)), "{begun:?}");
    assert_eq!(world.checkout(checkout).await.details.state, "expired");
    assert_eq!(open_pages(&world).await, Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn what_was_paid_stays_paid() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-late-thoughts").await.unwrap();
    world.pay(checkout).await;
    tenantry_app::billing::reconcile::reconcile(&world.app).await.unwrap();
    let mut tx = world.app.database.system("a test").await.unwrap();
    let now = world.clock_now();
    checkouts::end_open(&mut tx, checkout, CheckoutState::Expired, None, now)
        .await
        .unwrap();
    checkouts::settle(&mut tx, checkout, CheckoutState::Failed, None, None, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.checkout(checkout).await.details.state, "paid");
    world.stop().await;
}

/// The payment pages that somebody could pay on.
async fn open_pages(world: &World) -> Vec<String> {
    let url = format!("{}/v1/checkout/sessions?status=open&limit=100", world.stripe.url);
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(&world.stripe.api_key)
        .send()
        .await
        .unwrap();
    let list: serde_json::Value = answer.json().await.unwrap();
    let pages = list["data"].as_array().unwrap();
    pages
        .iter()
        .map(|page| page["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn buying_again_what_was_just_paid_for_says_so() {
    let world = World::new().await;
    let first = world.begin("museum-of-haste").await.unwrap();
    world.pay(first).await;
    // Nothing has been delivered yet: the page itself says that it was used.
    let again = world.begin("museum-of-haste").await;
    assert!(
        matches!(again, Err(BeginError::AlreadyBought { checkout }) if checkout == first),
        "{again:?}"
    );
    world.assert_bought_once().await;
    world.stop().await;
}

#[tokio::test]
async fn two_organizations_race_for_one_name_and_one_wins() {
    let world = World::new().await;
    let other = world.another_organization().await;
    let (mine, theirs) = tokio::join!(world.begin("wanted"), world.begin_for(other, "wanted"));
    let won = [mine.is_ok(), theirs.is_ok()];
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{mine:?} {theirs:?}");
    let lost = if mine.is_ok() { theirs } else { mine };
    assert!(
        matches!(lost, Err(BeginError::Name(CheckNameError::Taken { .. }))),
        "{lost:?}"
    );
    assert_eq!(world.count("select count(*) from checkouts").await, 1);
    world.stop().await;
}

#[tokio::test]
async fn a_checkout_that_is_called_off_gives_its_name_back() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-regrets").await.unwrap();
    let view = checkout::cancel::cancel(&world.app, world.organization, checkout, "somebody", None)
        .await
        .unwrap();
    assert_eq!(
        (view.details.state.as_str(), view.details.payment_url),
        ("expired", None)
    );
    assert_eq!(world.count("select count(*) from domains").await, 0);
    let other = world.another_organization().await;
    world.begin_for(other, "museum-of-regrets").await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn a_checkout_that_nobody_finishes_runs_out() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-time").await.unwrap();
    world.control("clock/advance", json!({"seconds": 3700})).await;
    world.clock.advance(TimeDelta::seconds(3700));
    checkout::expire::expire(&world.app, checkout, None).await.unwrap();
    assert_eq!(world.checkout(checkout).await.details.state, "expired");
    assert_eq!(world.count("select count(*) from domains").await, 0);
    assert_eq!(
        world
            .count("select count(*) from tenants where state = 'deleted'")
            .await,
        1
    );
    // Once more changes nothing.
    checkout::expire::expire(&world.app, checkout, None).await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn names_and_prices_are_checked_before_anything_happens() {
    let world = World::new().await;
    for name in ["", "a", "-x-", "api", "admin"] {
        assert!(matches!(world.begin(name).await, Err(BeginError::Name(_))), "{name}");
    }
    let wish = checkout::begin::BeginCheckout {
        id: CheckoutId::from_uuid(Uuid::now_v7()),
        organization: world.organization,
        slug: "museum",
        user: None,
        price: "collection_gold_month_eur",
        tenant_name: "museum",
        trace: None,
    };
    assert!(matches!(
        checkout::begin::begin(&world.app, &wish).await,
        Err(BeginError::PriceUnknown(_))
    ));
    assert_eq!(world.count("select count(*) from checkouts").await, 0);
    assert_eq!(world.count("select count(*) from tenants").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_second_payment_is_flagged_for_refund_ended_and_provisions_nothing() {
    let mut world = World::new().await;
    let first = world.begin("museum-of-doubles").await.unwrap();
    let second = twin_of(&world, first).await;
    world.pay(second).await;
    world.pay(first).await;
    world.start_jobs();
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    // The refusal ends a subscription at Stripe, which is an event again.
    for event in world.events().await {
        world.deliver(&event).await;
    }
    world.settled().await;
    world.assert_bought_once().await;
    assert_eq!(
        world
            .count("select count(*) from checkouts where state = 'paid' and not refund_needed")
            .await,
        1
    );
    // Money came twice, and once of it goes back.
    let sessions = "select count(*) from checkouts where stripe_session_id is not null";
    assert_eq!(world.count(sessions).await, 2);
    assert_eq!(
        world.count("select count(*) from checkouts where refund_needed").await,
        1
    );
    // And a person is told, once.
    let mails = "select count(*) from jobs where kind = 'mail.send' and unique_key like 'mail:refund_needed:%'";
    assert_eq!(world.count(mails).await, 1);
    assert_eq!(sales::count_refunds(&world.app).await.unwrap(), 1);
    let listed = sales::list(&world.app, Some("failed"), Some(true), None, 10)
        .await
        .unwrap();
    assert_eq!((listed.len(), listed[0].plan.as_str()), (1, "starter"));
    let refused = "select failure ->> 'code' from checkouts where refund_needed and state = 'failed'";
    assert_eq!(world.text(refused).await.as_deref(), Some("already_bought"));
    let live = world
        .text("select stripe_subscription_id from subscriptions")
        .await
        .unwrap();
    let url = format!("{}/v1/subscriptions?status=all", world.stripe.url);
    let answer = reqwest::Client::new()
        .get(url)
        .bearer_auth(&world.stripe.api_key)
        .send()
        .await
        .unwrap();
    let subscriptions: serde_json::Value = answer.json().await.unwrap();
    for subscription in subscriptions["data"].as_array().unwrap() {
        let expected = if subscription["id"] == live.as_str() {
            "active"
        } else {
            "canceled"
        };
        assert_eq!(subscription["status"], expected);
    }
    assert_eq!(subscriptions["data"].as_array().unwrap().len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn names_cannot_be_kept_from_others_without_end() {
    let world = World::new().await;
    let begun = world.begin("museum-1").await.unwrap();
    // Beginning the same purchase again takes the old one's place, and counts once.
    for _ in 0..2 {
        world.begin("museum-2").await.unwrap();
    }
    for name in ["museum-3", "museum-4", "museum-5"] {
        world.begin(name).await.unwrap();
    }
    let refused = world.begin("museum-6").await;
    assert!(matches!(refused, Err(BeginError::TooManyOpen)), "{refused:?}");
    let other = world.another_organization().await;
    world.begin_for(other, "museum-6").await.unwrap();
    checkout::cancel::cancel(&world.app, world.organization, begun, "a test", None)
        .await
        .unwrap();
    world.begin("museum-7").await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn of_many_begun_at_once_no_more_than_allowed_stay_open() {
    let world = World::new().await;
    let names: Vec<String> = (0..12).map(|number| format!("museum-at-once-{number}")).collect();
    futures::future::join_all(names.iter().map(|name| world.begin(name))).await;
    let open = world.count("select count(*) from checkouts where state = 'open'").await;
    assert_eq!(open, checkout::begin::MAX_OPEN);
    world.stop().await;
}

#[tokio::test]
async fn buying_again_does_not_take_up_a_tenant_that_was_removed() {
    let world = World::new().await;
    let first = world.begin("museum-of-removals").await.unwrap();
    world.execute("update tenants set state = 'deprovisioning'").await;
    world.execute("update tenants set state = 'deleted'").await;
    world.execute("delete from domains").await;
    let again = world.begin("museum-of-removals").await.unwrap();
    assert_ne!(
        world.checkout(first).await.details.tenant_id,
        world.checkout(again).await.details.tenant_id
    );
    assert_eq!(world.count("select count(*) from domains").await, 1);
    world.stop().await;
}

#[tokio::test]
async fn the_same_attempt_once_more_goes_on_with_its_checkout() {
    let world = World::new().await;
    let wish = checkout::begin::BeginCheckout {
        id: CheckoutId::from_uuid(Uuid::now_v7()),
        organization: world.organization,
        slug: "museum",
        user: None,
        price: crate::world::STARTER,
        tenant_name: "museum-of-repeats",
        trace: None,
    };
    // Its page is made, and whoever made it dies before noting it.
    let begun = checkout::begin::begin(&world.app, &wish).await.unwrap();
    world
        .execute("update checkouts set stripe_session_id = null, payment_url = null")
        .await;
    assert_eq!(checkout::begin::begin(&world.app, &wish).await.unwrap(), begun);
    assert!(world.checkout(begun).await.details.payment_url.is_some());
    assert_eq!(world.count("select count(*) from checkouts").await, 1);
    let pages = "select count(*) from stripe_calls where purpose = 'open a payment page' and attempts = 1";
    assert_eq!(world.count(pages).await, 1);
    world.stop().await;
}

/// Another checkout for the same tenant whose page is open as well: as a crash leaves it behind between making a page
/// and closing it.
pub(crate) async fn twin_of(world: &World, first: CheckoutId) -> CheckoutId {
    let second = CheckoutId::from_uuid(Uuid::now_v7());
    let mut tx = world.app.database.system("a test copies a checkout").await.unwrap();
    sqlx::query("update checkouts set state = 'expired' where id = $1")
        .bind(first.uuid())
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query(
        "insert into checkouts (id, organization_id, product, price_id, tenant_id, expires_at) \
         select $2, organization_id, product, price_id, tenant_id, expires_at from checkouts where id = $1",
    )
    .bind(first.uuid())
    .bind(second.uuid())
    .execute(&mut tx)
    .await
    .unwrap();
    let (customer, price, tenant): (String, String, Uuid) = sqlx::query_as(
        "select b.provider_id, p.stripe_price_id, c.tenant_id from checkouts c \
         join billing_customers b on b.organization_id = c.organization_id join prices p on p.id = c.price_id \
         where c.id = $1",
    )
    .bind(second.uuid())
    .fetch_one(&mut tx)
    .await
    .unwrap();
    let request = SessionRequest {
        customer,
        price,
        trial_days: None,
        success_url: "http://localhost:8080/paid".to_owned(),
        cancel_url: "http://localhost:8080/left".to_owned(),
        expires_at: world.clock_now() + TimeDelta::hours(1),
        references: References {
            installation: Some(world.app.settings.installation),
            organization: Some(world.organization),
            checkout: Some(second),
            tenant: Some(TenantId::from_uuid(tenant)),
        },
    };
    let session = world
        .app
        .payments
        .create_checkout(&request, &IdempotencyKey("twin".to_owned()))
        .await
        .unwrap();
    sqlx::query("update checkouts set stripe_session_id = $2 where id = $1")
        .bind(second.uuid())
        .bind(&session.id)
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    second
}
