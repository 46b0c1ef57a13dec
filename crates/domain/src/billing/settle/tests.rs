//! Decisions one by one, and then the property that matters: whatever is delivered, in whatever order and however
//! often, the ledger ends the same.

mod world;

use proptest::prelude::*;

use super::*;
use crate::billing::provider::{PaymentIntentStatus, PaymentStatus};
use world::{Entry, Moment, World};

#[test]
fn each_object_that_proves_payment_is_enough_alone() {
    for entry in Entry::ALL {
        let mut world = World::new();
        world.see(entry, Moment::Paid);
        assert_eq!(
            world.ledger.checkout.as_ref().unwrap().state,
            CheckoutState::Paid,
            "{entry:?}"
        );
        assert_eq!((world.contracts, world.provisions), (1, 1), "{entry:?}");
        assert_eq!(world.access(), Some(Access::Full), "{entry:?}");
        // And once is enough.
        for again in Entry::ALL {
            assert_eq!(
                world.see(again, Moment::Paid),
                Settlement::applied(Vec::new()),
                "{entry:?} then {again:?}"
            );
        }
    }
}

#[test]
fn an_event_alone_proves_nothing() {
    for entry in Entry::ALL {
        let mut world = World::new();
        world.see(entry, Moment::Submitted);
        assert_eq!((world.contracts, world.provisions), (0, 0), "{entry:?}");
        assert_eq!(
            world.ledger.checkout.as_ref().unwrap().state,
            CheckoutState::Open,
            "{entry:?}"
        );
    }
}

#[test]
fn an_expired_page_gives_the_name_back() {
    let mut world = World::new();
    let settlement = world.see(Entry::Session, Moment::Expired);
    assert_eq!(settlement.outcome, Outcome::Applied);
    assert!(
        settlement
            .changes
            .iter()
            .any(|change| matches!(change, Change::ReleaseTenant { .. }))
    );
    assert_eq!(world.ledger.checkout.as_ref().unwrap().state, CheckoutState::Expired);
    assert_eq!(
        world.see(Entry::Session, Moment::Expired),
        Settlement::applied(Vec::new())
    );
}

#[test]
fn a_page_that_was_left_behind_does_not_end_its_purchase() {
    let mut world = World::new();
    world.ledger.checkout.as_mut().unwrap().session = Some("cs_newer".to_owned());
    assert_eq!(
        world.see(Entry::Session, Moment::Expired),
        Settlement::applied(Vec::new())
    );
}

#[test]
fn whoever_pays_is_told_once_that_a_renewal_failed() {
    for first in Entry::ALL {
        let mut world = World::new();
        world.see(first, Moment::Paid);
        assert_eq!(world.told, 0, "{first:?}");
        for entry in [first].into_iter().chain(Entry::ALL) {
            world.see(entry, Moment::PastDue);
            assert_eq!(world.told, 1, "{first:?} then {entry:?}");
        }
        assert_eq!(world.access(), Some(Access::Grace));
    }
}

#[test]
fn a_first_payment_that_fails_is_told_by_the_page_that_it_fails_on() {
    for entry in Entry::ALL {
        let mut world = World::new();
        world.see(entry, Moment::Submitted);
        assert_eq!(world.told, 0, "{entry:?}");
    }
}

#[test]
fn a_payment_that_never_came_fails_the_checkout() {
    let mut world = World::new();
    let settlement = world.see(Entry::Subscription, Moment::NeverPaid);
    let Some(Change::SettleCheckout { state, failure, .. }) = settlement.changes.first() else {
        panic!()
    };
    assert_eq!(
        (*state, failure.as_ref().unwrap().code.as_str()),
        (CheckoutState::Failed, "payment_failed")
    );
}

#[test]
fn a_second_payment_is_flagged_and_ended_and_provisions_nothing() {
    let mut world = World::new();
    world.see(Entry::Invoice, Moment::Paid);
    // Another checkout for the same tenant, paid in another tab.
    let mut second = world.clone();
    let tenant = second.ledger.contract.as_ref().unwrap().tenants[0].clone();
    second.ledger.contract = None;
    second.ledger.tenant = Some(tenant);
    let checkout = second.ledger.checkout.as_mut().unwrap();
    (checkout.id, checkout.state, checkout.contract) = (world::checkout(2), CheckoutState::Open, None);
    let settlement = second.see(Entry::Session, Moment::Paid);
    assert_eq!(settlement.outcome, Outcome::Applied);
    assert!(
        settlement
            .changes
            .iter()
            .any(|change| matches!(change, Change::CancelAtProvider { .. }))
    );
    let refunds = |change: &Change| {
        matches!(
            change,
            Change::SettleCheckout {
                refund_of: Some(_),
                state: CheckoutState::Failed,
                ..
            }
        )
    };
    assert!(settlement.changes.iter().any(refunds));
    assert_eq!(second.provisions, world.provisions);
    // Nothing but ending it goes on, until it has ended.
    assert_eq!(second.see(Entry::Session, Moment::Paid), Settlement::applied(ending()));
    assert_eq!(
        second.see(Entry::Session, Moment::Canceled),
        Settlement::applied(Vec::new())
    );
}

#[test]
fn a_payment_that_has_gone_back_is_noted_once_and_delivered_never() {
    let mut world = World::new();
    world.ledger.tenant.as_mut().unwrap().is_gone = true;
    world.see(Entry::Session, Moment::Paid);
    let mut observed = world::observed(Entry::PaymentIntent, Moment::Paid);
    let unsent = settle(&world.ledger, &observed, world::at(40));
    assert_eq!(unsent, Settlement::applied(ending()));
    observed.payment_intent.as_mut().unwrap().refunded = true;
    let noted = settle(&world.ledger, &observed, world::at(40));
    let note = Change::NoteRefund {
        checkout: world::checkout(1),
    };
    assert!(noted.changes.contains(&note), "{noted:?}");
    world.ledger.checkout.as_mut().unwrap().refund_needed = false;
    // Also when somebody has made room for it again.
    world.ledger.tenant.as_mut().unwrap().is_gone = false;
    let later = settle(&world.ledger, &observed, world::at(40));
    assert_eq!(later, Settlement::applied(ending()));
}

#[test]
fn money_on_its_way_keeps_the_name() {
    let mut world = World::new();
    world.ledger.tenant.as_mut().unwrap().is_reserved = true;
    let keeps = |settlement: &Settlement| {
        settlement
            .changes
            .iter()
            .any(|change| matches!(change, Change::KeepName { .. }))
    };
    assert!(keeps(&world.see(Entry::Session, Moment::Submitted)));
    assert_eq!(
        world.see(Entry::Session, Moment::Submitted),
        Settlement::applied(Vec::new())
    );
    let mut world = World::new();
    world.ledger.tenant.as_mut().unwrap().is_reserved = true;
    world.ledger.price = None;
    assert!(
        keeps(&world.see(Entry::Session, Moment::Paid)),
        "the price may be mended"
    );
}

fn ending() -> Vec<Change> {
    vec![Change::CancelAtProvider {
        provider_id: "sub_1".to_owned(),
    }]
}

#[test]
fn a_payment_that_cannot_be_delivered_goes_back_and_is_not_taken_again() {
    type Spoil = fn(&mut World);
    let spoil: [(Failed, Spoil); 2] = [
        (Failed::TenantGone, |world| {
            world.ledger.tenant.as_mut().unwrap().is_gone = true;
        }),
        (Failed::PriceOfOtherProduct, |world| {
            world.ledger.price.as_mut().unwrap().product = "archive".to_owned();
        }),
    ];
    for (reason, spoil) in spoil {
        let mut world = World::new();
        spoil(&mut world);
        let settlement = world.see(Entry::Session, Moment::Paid);
        assert_eq!(settlement.outcome, Outcome::Failed(reason));
        assert!(settlement.changes.contains(&ending()[0]), "{reason:?}");
        let checkout = world.ledger.checkout.clone().unwrap();
        assert_eq!((checkout.state, checkout.refund_needed), (CheckoutState::Failed, true));
        assert_eq!(checkout.failure.as_deref(), Some(reason.code()));
        // It is ended until it has ended, and never delivered, even when what was wrong is mended.
        assert_eq!(world.see(Entry::Invoice, Moment::Paid).changes, ending());
        world.ledger.price.as_mut().unwrap().product = "collection".to_owned();
        world.ledger.tenant.as_mut().unwrap().is_gone = false;
        assert_eq!(world.see(Entry::Invoice, Moment::Canceled).changes, Vec::new());
        assert_eq!((world.contracts, world.provisions), (0, 0));
    }
}

#[test]
fn money_after_a_failure_replaces_the_words_that_nothing_was_charged() {
    let mut world = World::new();
    world.see(Entry::Subscription, Moment::NeverPaid);
    assert_eq!(
        world.ledger.checkout.as_ref().unwrap().failure.as_deref(),
        Some("payment_failed")
    );
    world.see(Entry::Session, Moment::Paid);
    let checkout = world.ledger.checkout.unwrap();
    assert_eq!(checkout.failure.as_deref(), Some("tenant_gone"));
    assert!(checkout.refund_needed);
}

#[test]
fn a_debit_that_the_bank_refuses_fails_the_checkout_and_ends_the_subscription() {
    let mut world = World::new();
    let mut observed = world::observed(Entry::Session, Moment::Submitted);
    observed.payment_intent = world::observed(Entry::PaymentIntent, Moment::Submitted).payment_intent;
    // Under way: nothing follows yet.
    assert_eq!(
        settle(&world.ledger, &observed, world::at(40)),
        Settlement::applied(Vec::new())
    );
    observed.payment_intent.as_mut().unwrap().status = PaymentIntentStatus::RequiresPaymentMethod;
    let settlement = settle(&world.ledger, &observed, world::at(40));
    assert!(matches!(
        settlement.changes.first(),
        Some(Change::SettleCheckout { state: CheckoutState::Failed, failure: Some(failure), refund_of: None, .. })
            if failure.code == "payment_failed"
    ));
    assert!(settlement.changes.contains(&ending()[0]));
    // A page that was bought is not undone by it.
    world.see(Entry::Session, Moment::Paid);
    let settlement = settle(&world.ledger, &observed, world::at(40));
    assert!(
        !settlement
            .changes
            .iter()
            .any(|change| matches!(change, Change::SettleCheckout { .. }))
    );
}

#[test]
fn a_payment_of_one_customer_is_never_booked_to_another() {
    let mut world = World::new();
    world.ledger.customer = Some("cus_other".to_owned());
    for entry in Entry::ALL {
        assert_eq!(
            world.see(entry, Moment::Paid),
            Settlement::failed(Failed::CustomerMismatch, Vec::new()),
            "{entry:?}"
        );
    }
    let mut world = World::new();
    world.ledger.checkout.as_mut().unwrap().organization = world::organization(99);
    assert_eq!(
        world.see(Entry::Subscription, Moment::Paid),
        Settlement::failed(Failed::CustomerMismatch, Vec::new())
    );
}

#[test]
fn a_price_in_no_catalog_is_a_failure_that_people_see_and_that_can_be_mended() {
    let mut world = World::new();
    let price = world.ledger.price.take();
    let settlement = world.see(Entry::Invoice, Moment::Paid);
    assert_eq!(settlement.outcome, Outcome::Failed(Failed::PriceNotInCatalog));
    assert_eq!(world.ledger.checkout.as_ref().unwrap().state, CheckoutState::Failed);
    assert_eq!(world.provisions, 0);
    // The same again says the same and changes nothing.
    let again = world.see(Entry::Invoice, Moment::Paid);
    assert_eq!(
        (again.outcome, again.changes.len()),
        (Outcome::Failed(Failed::PriceNotInCatalog), 0)
    );
    // A catalog that has the price, and a replay.
    world.ledger.price = price;
    world.see(Entry::Invoice, Moment::Paid);
    assert_eq!(world.ledger.checkout.as_ref().unwrap().state, CheckoutState::Paid);
    assert_eq!(world.provisions, 1);
}

#[test]
fn others_objects_are_left_alone() {
    let mut world = World::new();
    world.ledger.installation = world::installation(9);
    assert_eq!(
        world.see(Entry::Session, Moment::Paid),
        Settlement::ignored(Ignored::OtherInstallation)
    );
    let mut world = World::new();
    world.ledger.livemode = true;
    assert_eq!(
        world.see(Entry::Session, Moment::Paid),
        Settlement::ignored(Ignored::LivemodeMismatch)
    );
    let mut world = World::new();
    world.ledger.checkout = None;
    assert_eq!(
        world.see(Entry::Subscription, Moment::Paid),
        Settlement::ignored(Ignored::CheckoutUnknown)
    );
}

#[test]
fn a_contract_that_was_over_before_it_was_seen_frees_the_name_and_goes_back() {
    for entry in Entry::ALL {
        let mut world = World::new();
        let settlement = world.see(entry, Moment::Canceled);
        assert_eq!(settlement.outcome, Outcome::Applied, "{entry:?}");
        let checkout = world.ledger.checkout.clone().unwrap();
        assert_eq!(
            (
                checkout.state,
                checkout.failure.as_deref(),
                checkout.refund_of.as_deref()
            ),
            (CheckoutState::Failed, Some(CONTRACT_ENDED), Some("sub_1")),
            "{entry:?}"
        );
        assert!(world.ledger.tenant.as_ref().unwrap().is_gone, "{entry:?}");
        assert_eq!((world.contracts, world.provisions), (0, 0), "{entry:?}");
        assert_eq!(world.see(entry, Moment::Canceled), Settlement::applied(Vec::new()));
    }
}

#[test]
fn a_trial_that_was_over_before_it_was_seen_frees_the_name_and_nothing_goes_back() {
    let mut observed = world::observed(Entry::Session, Moment::Canceled);
    observed.session.as_mut().unwrap().payment_status = PaymentStatus::NoPaymentRequired;
    let settlement = settle(&World::new().ledger, &observed, world::at(40));
    assert!(matches!(
        &settlement.changes[..],
        [
            Change::SettleCheckout { state: CheckoutState::Failed, failure: Some(failure), refund_of: None, .. },
            Change::ReleaseTenant { .. }
        ] if failure.code == CONTRACT_ENDED
    ));
}

#[test]
fn a_contract_that_ends_before_its_tenant_was_begun_frees_the_name() {
    let mut world = World::new();
    world.see(Entry::Session, Moment::Paused);
    assert_eq!((world.contracts, world.provisions), (1, 0));
    assert!(!world.ledger.tenant.as_ref().unwrap().is_gone, "it may go on");
    world.see(Entry::Subscription, Moment::Canceled);
    assert!(world.ledger.tenant.as_ref().unwrap().is_gone);
    assert_eq!(
        world.see(Entry::Subscription, Moment::Canceled),
        Settlement::applied(Vec::new())
    );
}

#[test]
fn access_follows_the_contract() {
    let mut world = World::new();
    world.see(Entry::Session, Moment::Paid);
    world.see(Entry::Subscription, Moment::PastDue);
    assert_eq!(world.access(), Some(Access::Grace));
    world.see(Entry::Subscription, Moment::Recovered);
    assert_eq!(world.access(), Some(Access::Full));
    world.see(Entry::Subscription, Moment::Canceled);
    assert_eq!(world.access(), Some(Access::None));
    assert_eq!(
        world.ledger.contract.as_ref().unwrap().tenants[0].desired,
        DesiredState::Suspended
    );
    // What is over stays over.
    world.see(Entry::Subscription, Moment::Recovered);
    assert_eq!(world.access(), Some(Access::None));
}

#[test]
fn new_terms_stay_with_those_who_were_moved_to_them() {
    let mut world = World::new();
    world.see(Entry::Session, Moment::Paid);
    let moved = world::plan_version(77);
    world.ledger.contract.as_mut().unwrap().plan_version = moved;
    world.see(Entry::Subscription, Moment::Recovered);
    assert_eq!(world.ledger.contract.as_ref().unwrap().plan_version, moved);
}

/// What was delivered: at which moment of the purchase's life the provider was asked, and about what.
fn deliveries() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..Moment::LIFE.len(), 0..Entry::ALL.len()), 0..24)
}

proptest! {
    #[test]
    fn any_delivery_ends_in_the_same_ledger(mut deliveries in deliveries(), last in 0..Moment::LIFE.len(), closing in 0..Entry::ALL.len()) {
        // The fence lets an answer in only if nothing asked for later was applied: moments never go back.
        deliveries.retain(|(moment, _)| *moment <= last);
        deliveries.sort_by_key(|(moment, _)| *moment);
        let mut world = World::new();
        for (moment, entry) in deliveries {
            world.see(Entry::ALL[entry], Moment::LIFE[moment]);
        }
        world.see(Entry::ALL[closing], Moment::LIFE[last]);
        // The reconciler looks at what is still open.
        world.see(Entry::Session, Moment::LIFE[last]);

        if world.contracts == 0 && Moment::LIFE[last] == Moment::Canceled {
            // Nobody had heard of the payment while there was something to deliver.
            let checkout = world.ledger.checkout.as_ref().unwrap();
            prop_assert_eq!((checkout.state, checkout.refund_needed), (CheckoutState::Failed, true));
            prop_assert!(world.ledger.tenant.as_ref().unwrap().is_gone);
        } else {
            let mut in_order = World::new();
            for moment in &Moment::LIFE[..=last] {
                in_order.see(Entry::Session, *moment);
            }
            prop_assert_eq!(world.summary(), in_order.summary());
        }
        prop_assert!(world.contracts <= 1 && world.provisions <= 1);
        // Nothing is left to do.
        let again = world.see(Entry::ALL[closing], Moment::LIFE[last]);
        prop_assert_eq!(again.changes.len(), 0);
    }
}
