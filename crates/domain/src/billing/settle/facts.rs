//! What the ledger knows about one purchase.

use chrono::{DateTime, Utc};

use crate::{
    ids::{CheckoutId, InstallationId, OrganizationId, PlanVersionId, PriceId, SubscriptionId, TenantId},
    provisioning::DesiredState,
};

use super::super::{
    catalog::{Delivery, Limits},
    checkout::CheckoutState,
    provider::Subscription,
    subscription::{Entitlement, SubscriptionStatus},
};

/// The rows that concern the purchase that was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Who we are.
    pub installation: InstallationId,
    /// Whether this ledger is about real money.
    pub livemode: bool,
    /// The checkout that the observed objects name.
    pub checkout: Option<CheckoutFacts>,
    /// The tenant of that checkout.
    pub tenant: Option<TenantFacts>,
    /// What the provider calls the organization of that checkout.
    pub customer: Option<String>,
    /// The contract that has the observed subscription's identifier.
    pub contract: Option<ContractFacts>,
    /// The price that the observed subscription pays, if any catalog had it.
    pub price: Option<PriceFacts>,
    /// Whether the organization has a live contract for the checkout's product, and that product is shared.
    pub has_live_shared_contract: bool,
    /// Whether whoever pays was told that the observed invoice could not be collected.
    pub payer_was_told: bool,
}

/// A row of `checkouts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutFacts {
    /// Its identifier.
    pub id: CheckoutId,
    /// Who buys.
    pub organization: OrganizationId,
    /// What is bought.
    pub product: String,
    /// Where it stands.
    pub state: CheckoutState,
    /// The provider's page for it.
    pub session: Option<String>,
    /// What came of it.
    pub contract: Option<SubscriptionId>,
    /// Whether a payment on it is to go back.
    pub refund_needed: bool,
    /// The provider's subscription whose payment is to go back, or has gone back.
    pub refund_of: Option<String>,
    /// The code of why it failed.
    pub failure: Option<String>,
}

/// A row of `tenants`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFacts {
    /// Its identifier.
    pub id: TenantId,
    /// What pays for it.
    pub contract: Option<SubscriptionId>,
    /// Whether it is only named: nothing was started for it, and nothing is queued.
    pub is_pending: bool,
    /// Whether its host is kept for it only for a while.
    pub is_reserved: bool,
    /// Whether it is deleted or being taken down.
    pub is_gone: bool,
    /// What is wanted of it.
    pub desired: DesiredState,
}

/// A row of `subscriptions` with its entitlement.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractFacts {
    /// Its identifier.
    pub id: SubscriptionId,
    /// For which product.
    pub product: String,
    /// Which version of which plan.
    pub plan_version: PlanVersionId,
    /// What is paid.
    pub price: Option<PriceId>,
    /// The limits of that version.
    pub limits: Limits,
    /// Where it stands.
    pub state: ContractState,
    /// What it gives.
    pub entitlement: Entitlement,
    /// The tenants that it pays for.
    pub tenants: Vec<TenantFacts>,
}

/// The part of a contract that follows the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractState {
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// Until when it is paid for.
    pub current_period_end: Option<DateTime<Utc>>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl ContractState {
    pub(super) fn observed(subscription: &Subscription, status: SubscriptionStatus, now: DateTime<Utc>) -> Self {
        Self {
            status,
            current_period_end: subscription.current_period_end,
            cancel_at_period_end: subscription.cancel_at_period_end,
            ended_at: status.has_ended().then(|| subscription.ended_at.unwrap_or(now)),
        }
    }

    /// What has ended stays ended, at the time that was noted first.
    pub(super) fn settled_after(self, before: &Self) -> Self {
        match before.ended_at {
            Some(_) if !self.status.has_ended() => before.clone(),
            Some(ended_at) => Self {
                ended_at: Some(ended_at),
                ..self
            },
            None => self,
        }
    }
}

/// A row of `prices` with its plan version and product.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceFacts {
    /// Its identifier.
    pub id: PriceId,
    /// Which version is bought by it.
    pub plan_version: PlanVersionId,
    /// Of which product.
    pub product: String,
    /// How that product is delivered.
    pub delivery: Delivery,
    /// The limits of that version.
    pub limits: Limits,
}
