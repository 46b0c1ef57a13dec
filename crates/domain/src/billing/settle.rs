//! What follows from a payment provider's objects: the one place that decides that somebody has paid, what they get for
//! it, and what is wrong with a payment.
//!
//! Events are hints and arrive in any order, twice or never. What is decided here depends only on what the ledger knows
//! and on objects as they are now, so that the same objects always lead to the same ledger. Settling twice changes
//! nothing the second time.

mod facts;
mod observed;
mod outcome;

use chrono::{DateTime, Utc};

use crate::provisioning::DesiredState;

use super::{
    catalog::Delivery,
    checkout::{CheckoutFailure, CheckoutState},
    provider::{CheckoutSession, InvoiceStatus, SessionStatus, Subscription},
    subscription::{Access, Entitlement, SubscriptionStatus},
};

pub use facts::{CheckoutFacts, ContractFacts, ContractState, Ledger, PriceFacts, TenantFacts};
pub use observed::Observed;
pub use outcome::{Change, Failed, Ignored, NewContract, Outcome, Settlement};

/// The code under which a customer reads that the contract ended before anything was made for it.
pub const CONTRACT_ENDED: &str = "contract_ended";

/// Decides what follows from `observed`.
#[must_use]
pub fn settle(ledger: &Ledger, observed: &Observed, now: DateTime<Utc>) -> Settlement {
    if observed.livemodes().any(|livemode| livemode != ledger.livemode) {
        return Settlement::ignored(Ignored::LivemodeMismatch);
    }
    match (&observed.subscription, &observed.session) {
        (Some(subscription), _) => settle_subscription(ledger, observed, subscription, now),
        (None, Some(session)) => settle_session(ledger, session),
        (None, None) => Settlement::ignored(Ignored::NoSubscription),
    }
}

/// A payment page of which no contract has come.
fn settle_session(ledger: &Ledger, session: &CheckoutSession) -> Settlement {
    if session.references.installation != Some(ledger.installation) {
        return Settlement::ignored(Ignored::OtherInstallation);
    }
    let Some(checkout) = &ledger.checkout else {
        return Settlement::ignored(Ignored::CheckoutUnknown);
    };
    match session.status {
        SessionStatus::Open | SessionStatus::Unknown => Settlement::applied(Vec::new()),
        SessionStatus::Complete => Settlement::ignored(Ignored::NoSubscription),
        // A page that this purchase has left behind says nothing about the purchase any more.
        SessionStatus::Expired if checkout.session.as_ref().is_some_and(|current| *current != session.id) => {
            Settlement::applied(Vec::new())
        }
        SessionStatus::Expired => Settlement::applied(close_checkout(ledger, checkout, CheckoutState::Expired, None)),
    }
}

/// Ends an open checkout without a purchase, and gives its name back.
fn close_checkout(
    ledger: &Ledger,
    checkout: &CheckoutFacts,
    state: CheckoutState,
    failure: Option<CheckoutFailure>,
) -> Vec<Change> {
    if checkout.state != CheckoutState::Open {
        return Vec::new();
    }
    let mut changes = vec![Change::SettleCheckout {
        checkout: checkout.id,
        state,
        failure,
        refund_of: None,
    }];
    changes.extend(release_name(ledger));
    changes
}

/// A name that was taken for a purchase that came to nothing.
fn release_name(ledger: &Ledger) -> Option<Change> {
    ledger
        .tenant
        .as_ref()
        .filter(|tenant| tenant.is_pending && tenant.contract.is_none())
        .map(|tenant| Change::ReleaseTenant { tenant: tenant.id })
}

fn settle_subscription(
    ledger: &Ledger,
    observed: &Observed,
    subscription: &Subscription,
    now: DateTime<Utc>,
) -> Settlement {
    let Some(status) = subscription.status else {
        return Settlement::failed(Failed::StatusUnknown, Vec::new());
    };
    if let Some(contract) = &ledger.contract {
        let mut settlement = update_contract(ledger, contract, subscription, status, now);
        settlement
            .changes
            .extend(tell_payer(ledger, subscription, observed, status));
        return settlement;
    }
    let references = match &observed.session {
        Some(session) if subscription.references.installation.is_none() => session.references,
        _ => subscription.references,
    };
    match references.installation {
        None => return Settlement::ignored(Ignored::NotOurs),
        Some(installation) if installation != ledger.installation => {
            return Settlement::ignored(Ignored::OtherInstallation);
        }
        Some(_) => {}
    }
    let Some(checkout) = &ledger.checkout else {
        return Settlement::ignored(Ignored::CheckoutUnknown);
    };
    let names_another = references
        .organization
        .is_some_and(|organization| organization != checkout.organization);
    let is_paid_by_another = subscription.customer.is_some() && subscription.customer != ledger.customer;
    if names_another || is_paid_by_another {
        return Settlement::failed(Failed::CustomerMismatch, Vec::new());
    }
    if status == SubscriptionStatus::IncompleteExpired || observed.payment_was_refused() {
        return refused_payment(ledger, checkout, subscription, status);
    }
    if !observed.payment_is_proven() {
        // A bank may take days.
        let is_under_way = observed
            .session
            .as_ref()
            .is_some_and(|session| session.status == SessionStatus::Complete);
        let keep = keep_name(ledger).filter(|_| is_under_way);
        return Settlement::applied(keep.into_iter().collect());
    }
    open_contract(ledger, observed, checkout, subscription, status, now)
}

/// The page was gone through and no money came: buying again begins anew.
fn refused_payment(
    ledger: &Ledger,
    checkout: &CheckoutFacts,
    subscription: &Subscription,
    status: SubscriptionStatus,
) -> Settlement {
    let failure = CheckoutFailure {
        code: "payment_failed".to_owned(),
        detail: "The payment did not go through. Nothing was charged: start again.".to_owned(),
    };
    let mut changes = close_checkout(ledger, checkout, CheckoutState::Failed, Some(failure));
    changes.extend(end_unwanted(subscription, status));
    Settlement::applied(changes)
}

/// Whoever has paid, or is paying, does not lose the name to somebody else.
fn keep_name(ledger: &Ledger) -> Option<Change> {
    ledger
        .tenant
        .as_ref()
        .filter(|tenant| tenant.is_pending && tenant.is_reserved && tenant.contract.is_none())
        .map(|tenant| Change::KeepName { tenant: tenant.id })
}

/// A subscription that nobody wants any more is ended for as long as it has not ended.
fn end_unwanted(subscription: &Subscription, status: SubscriptionStatus) -> Option<Change> {
    (!status.has_ended()).then(|| Change::CancelAtProvider {
        provider_id: subscription.id.clone(),
    })
}

/// Somebody has paid for something that the ledger does not know as bought yet.
fn open_contract(
    ledger: &Ledger,
    observed: &Observed,
    checkout: &CheckoutFacts,
    subscription: &Subscription,
    status: SubscriptionStatus,
    now: DateTime<Utc>,
) -> Settlement {
    // What is to go back, or has gone back, is not delivered later.
    if checkout.refund_of.as_deref() == Some(subscription.id.as_str()) {
        let refunded = observed.payment_intent.as_ref().is_some_and(|payment| payment.refunded);
        return goes_back(checkout, subscription, status, refunded);
    }
    let is_second = checkout.contract.is_some()
        || ledger.tenant.as_ref().is_some_and(|tenant| tenant.contract.is_some())
        || ledger.has_live_shared_contract;
    if is_second || checkout.refund_needed {
        return second_payment(checkout, subscription, status);
    }
    if status.has_ended() {
        return over_before_it_began(ledger, observed, checkout, subscription);
    }
    let Some(price) = &ledger.price else {
        let mut changes = fail_paid_checkout(checkout, Failed::PriceNotInCatalog.code(), None);
        // It can still be mended, and is delivered then.
        changes.extend(keep_name(ledger));
        return Settlement::failed(Failed::PriceNotInCatalog, changes);
    };
    let refuse = |reason: Failed| {
        let mut changes = fail_paid_checkout(checkout, reason.code(), Some(&subscription.id));
        changes.extend(end_unwanted(subscription, status));
        Settlement::failed(reason, changes)
    };
    if price.product != checkout.product {
        return refuse(Failed::PriceOfOtherProduct);
    }
    let needs_tenant = price.delivery == Delivery::Dedicated;
    let tenant = ledger.tenant.as_ref().filter(|tenant| !tenant.is_gone);
    if needs_tenant && tenant.is_none() {
        return refuse(Failed::TenantGone);
    }
    let state = ContractState::observed(subscription, status, now);
    let entitlement = entitlement_of(status, price.limits.clone(), &state);
    let runs = entitlement.access.runs();
    let mut changes = vec![
        Change::OpenContract(Box::new(NewContract {
            provider_id: subscription.id.clone(),
            organization: checkout.organization,
            checkout: checkout.id,
            product: price.product.clone(),
            delivery: price.delivery,
            plan_version: price.plan_version,
            price: price.id,
            tenant: tenant.map(|tenant| tenant.id),
            state,
            entitlement,
        })),
        Change::SettleCheckout {
            checkout: checkout.id,
            state: CheckoutState::Paid,
            failure: None,
            refund_of: None,
        },
    ];
    if let Some(tenant) = tenant.filter(|_| runs) {
        changes.push(Change::StartProvision { tenant: tenant.id });
    }
    // Nobody had heard of it before a renewal of it failed.
    changes.extend(tell_payer(ledger, subscription, observed, status));
    Settlement::applied(changes)
}

/// The contract ended before anybody here knew of it: by hand at the provider, or while we were away. Nothing is made
/// any more, so the name is free again, and what was paid goes back.
fn over_before_it_began(
    ledger: &Ledger,
    observed: &Observed,
    checkout: &CheckoutFacts,
    subscription: &Subscription,
) -> Settlement {
    if observed.was_free() {
        let failure = CheckoutFailure {
            code: CONTRACT_ENDED.to_owned(),
            detail: "The subscription ended before anything was set up. Nothing was charged: start again.".to_owned(),
        };
        return Settlement::applied(close_checkout(ledger, checkout, CheckoutState::Failed, Some(failure)));
    }
    let mut changes = fail_paid_checkout(checkout, CONTRACT_ENDED, Some(&subscription.id));
    changes.extend(release_name(ledger));
    Settlement::applied(changes)
}

/// Money that bought nothing: it is to go back, and must not be taken again next month.
fn second_payment(checkout: &CheckoutFacts, subscription: &Subscription, status: SubscriptionStatus) -> Settlement {
    let end = end_unwanted(subscription, status);
    if checkout.refund_needed {
        return Settlement::applied(end.into_iter().collect());
    }
    let was_bought_by_this_checkout = checkout.contract.is_some();
    let failure = (!was_bought_by_this_checkout).then(|| CheckoutFailure {
        code: "already_bought".to_owned(),
        detail: "This was paid for twice. The second payment will be refunded; what you bought is not affected."
            .to_owned(),
    });
    let state = if was_bought_by_this_checkout {
        CheckoutState::Paid
    } else {
        CheckoutState::Failed
    };
    let flag = Change::SettleCheckout {
        checkout: checkout.id,
        state,
        failure,
        refund_of: Some(subscription.id.clone()),
    };
    Settlement::applied(std::iter::once(flag).chain(end).collect())
}

/// A payment that was flagged before: it may have gone back meanwhile, by an operator's act or by hand at the provider.
fn goes_back(
    checkout: &CheckoutFacts,
    subscription: &Subscription,
    status: SubscriptionStatus,
    refunded: bool,
) -> Settlement {
    let note = (refunded && checkout.refund_needed).then_some(Change::NoteRefund { checkout: checkout.id });
    Settlement::applied(end_unwanted(subscription, status).into_iter().chain(note).collect())
}

/// The money is here and we cannot deliver: a person has to look, and the customer reads so. Without `refund_of` it
/// is for now: when what was wrong is mended, settling again delivers.
fn fail_paid_checkout(checkout: &CheckoutFacts, code: &str, refund_of: Option<&str>) -> Vec<Change> {
    // What it failed of before may have said that nothing was charged.
    let is_known = checkout.failure.as_deref() == Some(code) && checkout.refund_needed == refund_of.is_some();
    if checkout.state == CheckoutState::Failed && is_known {
        return Vec::new();
    }
    let detail = if refund_of.is_some() {
        "Your payment arrived, but what was ordered cannot be delivered any more. It will be refunded and not be \
         charged again."
    } else {
        "Your payment arrived, but the order could not be completed. We have been told and will get back to you; you \
         do not need to pay again."
    };
    vec![Change::SettleCheckout {
        checkout: checkout.id,
        state: CheckoutState::Failed,
        failure: Some(CheckoutFailure {
            code: code.to_owned(),
            detail: detail.to_owned(),
        }),
        refund_of: refund_of.map(str::to_owned),
    }]
}

fn update_contract(
    ledger: &Ledger,
    contract: &ContractFacts,
    subscription: &Subscription,
    status: SubscriptionStatus,
    now: DateTime<Utc>,
) -> Settlement {
    let state = ContractState::observed(subscription, status, now).settled_after(&contract.state);
    // The version stays the one that was agreed on for as long as the price does: a plan may have been given new
    // terms for those who have it.
    let (price, plan_version, limits, failure) = match &ledger.price {
        Some(price) if contract.price == Some(price.id) || price.product != contract.product => {
            let failure = (price.product != contract.product).then_some(Failed::PriceOfOtherProduct);
            (contract.price, contract.plan_version, contract.limits.clone(), failure)
        }
        Some(price) => (Some(price.id), price.plan_version, price.limits.clone(), None),
        None => {
            let failure = (!status.has_ended()).then_some(Failed::PriceNotInCatalog);
            (contract.price, contract.plan_version, contract.limits.clone(), failure)
        }
    };
    let entitlement = entitlement_of(state.status, limits, &state);
    let runs = entitlement.access.runs();
    let has_ended = state.ended_at.is_some();
    let mut changes = Vec::new();
    let is_same = state == contract.state
        && price == contract.price
        && plan_version == contract.plan_version
        && entitlement == contract.entitlement;
    if !is_same {
        changes.push(Change::UpdateContract {
            contract: contract.id,
            price,
            plan_version,
            state,
            entitlement,
        });
    }
    let desired = if runs {
        DesiredState::Running
    } else {
        DesiredState::Suspended
    };
    // What a person wants gone stays gone, whoever pays for it.
    for tenant in contract
        .tenants
        .iter()
        .filter(|tenant| !tenant.is_gone && tenant.desired != DesiredState::Deleted)
    {
        // Nothing was made of it, and nothing will be: others may have the name.
        if has_ended && tenant.is_pending {
            changes.push(Change::ReleaseTenant { tenant: tenant.id });
            continue;
        }
        if tenant.desired != desired {
            changes.push(Change::WantTenant {
                tenant: tenant.id,
                desired,
            });
        }
        // Heals a purchase whose tenant was attached and never started.
        if runs && tenant.is_pending {
            changes.push(Change::StartProvision { tenant: tenant.id });
        }
    }
    match failure {
        Some(reason) => Settlement::failed(reason, changes),
        None => Settlement::applied(changes),
    }
}

/// A renewal could not be collected. The provider tries again by itself, and that much longer the site goes on.
fn tell_payer(
    ledger: &Ledger,
    subscription: &Subscription,
    observed: &Observed,
    status: SubscriptionStatus,
) -> Option<Change> {
    let invoice = observed.invoice.as_ref()?;
    let has_failed =
        status == SubscriptionStatus::PastDue && invoice.status == InvoiceStatus::Open && invoice.attempted;
    (has_failed && !ledger.payer_was_told).then(|| Change::TellPayer {
        provider_id: subscription.id.clone(),
        invoice: Box::new(invoice.clone()),
    })
}

fn entitlement_of(status: SubscriptionStatus, limits: super::catalog::Limits, state: &ContractState) -> Entitlement {
    let access = status.access();
    Entitlement {
        access,
        limits,
        valid_until: if access == Access::None {
            state.ended_at
        } else {
            state.current_period_end
        },
    }
}

#[cfg(test)]
mod tests;
