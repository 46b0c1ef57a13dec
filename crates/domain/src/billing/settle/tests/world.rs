//! One purchase at a provider, at several moments of its life, and a ledger in memory that follows it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::*;
use crate::{
    billing::{
        catalog::Limits,
        provider::{Invoice, InvoiceStatus, PaymentIntent, PaymentIntentStatus, PaymentStatus, References},
    },
    ids::{CheckoutId, InstallationId, OrganizationId, PlanVersionId, PriceId, SubscriptionId, TenantId},
};

pub(super) fn checkout(number: u128) -> CheckoutId {
    CheckoutId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn installation(number: u128) -> InstallationId {
    InstallationId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn plan_version(number: u128) -> PlanVersionId {
    PlanVersionId::from_uuid(Uuid::from_u128(number))
}

fn tenant() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(3))
}

pub(super) fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn at(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::days(days)
}

/// When the provider was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Opened,
    Submitted,
    Paid,
    Paused,
    PastDue,
    Recovered,
    Canceled,
    Expired,
    NeverPaid,
}

impl Moment {
    /// The life of a purchase that succeeds, in order.
    pub(super) const LIFE: [Self; 6] = [
        Self::Opened,
        Self::Submitted,
        Self::Paid,
        Self::PastDue,
        Self::Recovered,
        Self::Canceled,
    ];

    fn status(self) -> Option<SubscriptionStatus> {
        match self {
            Self::Opened | Self::Expired => None,
            Self::Submitted => Some(SubscriptionStatus::Incomplete),
            Self::Paid | Self::Recovered => Some(SubscriptionStatus::Active),
            Self::Paused => Some(SubscriptionStatus::Paused),
            Self::PastDue => Some(SubscriptionStatus::PastDue),
            Self::Canceled => Some(SubscriptionStatus::Canceled),
            Self::NeverPaid => Some(SubscriptionStatus::IncompleteExpired),
        }
    }

    fn first_payment_arrived(self) -> bool {
        matches!(
            self,
            Self::Paid | Self::Paused | Self::PastDue | Self::Recovered | Self::Canceled
        )
    }

    fn session(self) -> (SessionStatus, PaymentStatus) {
        match self {
            Self::Opened => (SessionStatus::Open, PaymentStatus::Unpaid),
            Self::Expired => (SessionStatus::Expired, PaymentStatus::Unpaid),
            moment if moment.first_payment_arrived() => (SessionStatus::Complete, PaymentStatus::Paid),
            _ => (SessionStatus::Complete, PaymentStatus::Unpaid),
        }
    }

    /// The newest invoice; while a renewal is overdue, that one.
    fn invoice(self) -> InvoiceStatus {
        if self.first_payment_arrived() && self != Self::PastDue {
            InvoiceStatus::Paid
        } else {
            InvoiceStatus::Open
        }
    }
}

/// What an event was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Session,
    Subscription,
    Invoice,
    PaymentIntent,
}

impl Entry {
    pub(super) const ALL: [Self; 4] = [Self::Session, Self::Subscription, Self::Invoice, Self::PaymentIntent];
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) ledger: Ledger,
    pub(super) contracts: usize,
    pub(super) provisions: usize,
    pub(super) told: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let ledger = Ledger {
            installation: installation(1),
            livemode: false,
            checkout: Some(CheckoutFacts {
                id: checkout(1),
                organization: organization(4),
                product: "collection".to_owned(),
                state: CheckoutState::Open,
                session: Some("cs_1".to_owned()),
                contract: None,
                refund_needed: false,
                refund_of: None,
                failure: None,
            }),
            tenant: Some(TenantFacts {
                id: tenant(),
                contract: None,
                is_pending: true,
                is_reserved: false,
                is_gone: false,
                desired: DesiredState::Running,
            }),
            customer: Some("cus_1".to_owned()),
            contract: None,
            price: Some(PriceFacts {
                id: PriceId::from_uuid(Uuid::from_u128(5)),
                plan_version: plan_version(6),
                product: "collection".to_owned(),
                delivery: Delivery::Dedicated,
                limits: Limits::default(),
            }),
            has_live_shared_contract: false,
            payer_was_told: false,
        };
        Self {
            ledger,
            contracts: 0,
            provisions: 0,
            told: 0,
        }
    }

    /// Fetches what an event about `entry` leads to, settles it, and writes what follows.
    pub(super) fn see(&mut self, entry: Entry, moment: Moment) -> Settlement {
        let settlement = settle(&self.ledger, &observed(entry, moment), at(40));
        for change in &settlement.changes {
            self.write(change);
        }
        settlement
    }

    pub(super) fn access(&self) -> Option<Access> {
        self.ledger
            .contract
            .as_ref()
            .map(|contract| contract.entitlement.access)
    }

    /// What must not depend on deliveries.
    pub(super) fn summary(&self) -> (Option<CheckoutState>, Option<ContractState>, Option<Access>) {
        let checkout = self.ledger.checkout.as_ref().map(|checkout| checkout.state);
        (
            checkout,
            self.ledger.contract.as_ref().map(|contract| contract.state.clone()),
            self.access(),
        )
    }

    fn write(&mut self, change: &Change) {
        match change {
            Change::OpenContract(new) => self.open(new),
            Change::UpdateContract {
                price,
                plan_version,
                state,
                entitlement,
                ..
            } => {
                let contract = self.ledger.contract.as_mut().unwrap();
                (contract.price, contract.plan_version) = (*price, *plan_version);
                contract.state = state.clone();
                contract.entitlement = entitlement.clone();
            }
            Change::SettleCheckout {
                state,
                failure,
                refund_of,
                ..
            } => {
                let checkout = self.ledger.checkout.as_mut().unwrap();
                checkout.state = *state;
                checkout.failure = failure.as_ref().map(|failure| failure.code.clone());
                if refund_of.is_some() {
                    checkout.refund_needed = true;
                    checkout.refund_of.clone_from(refund_of);
                }
            }
            Change::NoteRefund { .. } => self.ledger.checkout.as_mut().unwrap().refund_needed = false,
            Change::KeepName { .. } => self.each_tenant(|tenant| tenant.is_reserved = false),
            Change::ReleaseTenant { .. } => self.each_tenant(|tenant| tenant.is_gone = true),
            Change::StartProvision { .. } => {
                self.provisions += 1;
                self.each_tenant(|tenant| tenant.is_pending = false);
            }
            Change::WantTenant { desired, .. } => self.each_tenant(|tenant| tenant.desired = *desired),
            Change::TellPayer { .. } => {
                self.told += 1;
                self.ledger.payer_was_told = true;
            }
            Change::CancelAtProvider { .. } => {}
        }
    }

    fn open(&mut self, new: &NewContract) {
        self.contracts += 1;
        let id = SubscriptionId::from_uuid(Uuid::from_u128(7));
        let tenant = self.ledger.tenant.as_mut().unwrap();
        tenant.contract = Some(id);
        self.ledger.contract = Some(ContractFacts {
            id,
            product: new.product.clone(),
            plan_version: new.plan_version,
            price: Some(new.price),
            limits: new.entitlement.limits.clone(),
            state: new.state.clone(),
            entitlement: new.entitlement.clone(),
            tenants: vec![tenant.clone()],
        });
        self.ledger.checkout.as_mut().unwrap().contract = Some(id);
    }

    fn each_tenant(&mut self, change: impl Fn(&mut TenantFacts)) {
        let of_contract = self
            .ledger
            .contract
            .iter_mut()
            .flat_map(|contract| contract.tenants.iter_mut());
        of_contract.chain(self.ledger.tenant.iter_mut()).for_each(change);
    }
}

pub(super) fn observed(entry: Entry, moment: Moment) -> Observed {
    let references = References {
        installation: Some(installation(1)),
        organization: Some(organization(4)),
        checkout: Some(checkout(1)),
        tenant: Some(tenant()),
    };
    let subscription = moment.status().map(|status| Subscription {
        id: "sub_1".to_owned(),
        status: Some(status),
        customer: Some("cus_1".to_owned()),
        price: Some("price_1".to_owned()),
        current_period_end: Some(at(30)),
        cancel_at_period_end: false,
        ended_at: (moment == Moment::Canceled).then(|| at(35)),
        latest_invoice: Some("in_1".to_owned()),
        livemode: false,
        references,
    });
    let (status, payment_status) = moment.session();
    let session = CheckoutSession {
        id: "cs_1".to_owned(),
        status,
        payment_status,
        customer: None,
        subscription: subscription.as_ref().map(|subscription| subscription.id.clone()),
        url: None,
        expires_at: None,
        livemode: false,
        references,
    };
    let invoice = subscription.as_ref().map(|subscription| Invoice {
        id: "in_1".to_owned(),
        status: moment.invoice(),
        attempted: moment != Moment::Opened,
        amount_remaining: None,
        page: None,
        subscription: Some(subscription.id.clone()),
        customer: None,
        livemode: false,
    });
    let payment_intent = subscription.as_ref().map(|_| PaymentIntent {
        id: "pi_1".to_owned(),
        status: if moment.first_payment_arrived() {
            PaymentIntentStatus::Succeeded
        } else {
            PaymentIntentStatus::Pending
        },
        customer: None,
        amount: None,
        refunded: false,
        livemode: false,
    });
    Observed {
        session: (entry == Entry::Session).then_some(session),
        invoice,
        payment_intent: payment_intent.filter(|_| entry == Entry::PaymentIntent),
        subscription,
    }
}
