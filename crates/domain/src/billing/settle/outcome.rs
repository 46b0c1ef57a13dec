//! What was decided.

use crate::{
    ids::{CheckoutId, OrganizationId, PlanVersionId, PriceId, SubscriptionId, TenantId},
    provisioning::DesiredState,
};

use super::{
    super::{
        catalog::Delivery,
        checkout::{CheckoutFailure, CheckoutState},
        provider::Invoice,
        subscription::Entitlement,
    },
    facts::ContractState,
};

/// What is to be written, and what becomes of the events that asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// In the order in which they are made; empty when the ledger already says so.
    pub changes: Vec<Change>,
    /// What becomes of the events.
    pub outcome: Outcome,
}

impl Settlement {
    pub(super) fn applied(changes: Vec<Change>) -> Self {
        Self {
            changes,
            outcome: Outcome::Applied,
        }
    }

    pub(super) fn ignored(reason: Ignored) -> Self {
        Self {
            changes: Vec::new(),
            outcome: Outcome::Ignored(reason),
        }
    }

    pub(super) fn failed(reason: Failed, changes: Vec<Change>) -> Self {
        Self {
            changes,
            outcome: Outcome::Failed(reason),
        }
    }
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The ledger says what the provider says.
    Applied,
    /// It is not about a purchase of ours.
    Ignored(Ignored),
    /// A person has to look.
    Failed(Failed),
}

/// Why nothing follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Test money in a live ledger, or the reverse.
    LivemodeMismatch,
    /// Another installation shares the account.
    OtherInstallation,
    /// Nobody here made it.
    NotOurs,
    /// It names a checkout that the ledger does not have.
    CheckoutUnknown,
    /// It belongs to no subscription.
    NoSubscription,
    /// The provider does not have the object any more, and the ledger knows nothing of it.
    ObjectGone,
    /// A type of event that says nothing about a purchase.
    TypeNotHandled,
}

impl Ignored {
    /// Stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LivemodeMismatch => "livemode_mismatch",
            Self::OtherInstallation => "other_installation",
            Self::NotOurs => "not_ours",
            Self::CheckoutUnknown => "checkout_unknown",
            Self::NoSubscription => "no_subscription",
            Self::ObjectGone => "object_gone",
            Self::TypeNotHandled => "type_not_handled",
        }
    }
}

/// Why a person has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Something was bought by a price that no catalog had. Apply a catalog that has it, then replay the event.
    PriceNotInCatalog,
    /// The price belongs to another product than the one that was chosen.
    PriceOfOtherProduct,
    /// What was paid for was taken down meanwhile.
    TenantGone,
    /// The subscription is in a state that this release does not know.
    StatusUnknown,
    /// The ledger has a contract or a payment page that the provider no longer knows.
    ObjectGone,
    /// Another customer of the provider pays than the organization whose checkout it names.
    CustomerMismatch,
}

impl Failed {
    /// Stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PriceNotInCatalog => "price_not_in_catalog",
            Self::PriceOfOtherProduct => "price_of_other_product",
            Self::TenantGone => "tenant_gone",
            Self::StatusUnknown => "status_unknown",
            Self::ObjectGone => "object_gone",
            Self::CustomerMismatch => "customer_mismatch",
        }
    }
}

/// One change of the ledger, or a request that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A purchase is complete.
    OpenContract(Box<NewContract>),
    /// A contract follows the provider.
    UpdateContract {
        /// Which.
        contract: SubscriptionId,
        /// What is paid.
        price: Option<PriceId>,
        /// Which version.
        plan_version: PlanVersionId,
        /// Where it stands.
        state: ContractState,
        /// What it gives.
        entitlement: Entitlement,
    },
    /// A checkout is over.
    SettleCheckout {
        /// Which.
        checkout: CheckoutId,
        /// How it ended.
        state: CheckoutState,
        /// Why it failed.
        failure: Option<CheckoutFailure>,
        /// The provider's subscription whose payment is to go back.
        refund_of: Option<String>,
    },
    /// A payment that was to go back has gone back.
    NoteRefund {
        /// Of which checkout.
        checkout: CheckoutId,
    },
    /// A tenant's name is kept for as long as its money is on the way.
    KeepName {
        /// Whose.
        tenant: TenantId,
    },
    /// A tenant that was named and is not going to be made gives its name back.
    ReleaseTenant {
        /// Which.
        tenant: TenantId,
    },
    /// A tenant that is paid for is to be built.
    StartProvision {
        /// Which.
        tenant: TenantId,
    },
    /// The contract says something else about running than the tenant's row does.
    WantTenant {
        /// Which.
        tenant: TenantId,
        /// What it says.
        desired: DesiredState,
    },
    /// A renewal could not be collected: whoever pays has to hear of it, once for each invoice.
    TellPayer {
        /// The provider's identifier of the contract.
        provider_id: String,
        /// The provider's invoice.
        invoice: Box<Invoice>,
    },
    /// A subscription that nobody wanted is to end before it costs money again.
    CancelAtProvider {
        /// The provider's identifier.
        provider_id: String,
    },
}

/// A contract to be written, with its entitlement.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContract {
    /// The provider's identifier.
    pub provider_id: String,
    /// Who bought.
    pub organization: OrganizationId,
    /// In which checkout.
    pub checkout: CheckoutId,
    /// What.
    pub product: String,
    /// How it is delivered.
    pub delivery: Delivery,
    /// Which version of which plan.
    pub plan_version: PlanVersionId,
    /// At which price.
    pub price: PriceId,
    /// The tenant that it pays for from now on.
    pub tenant: Option<TenantId>,
    /// Where it stands.
    pub state: ContractState,
    /// What it gives.
    pub entitlement: Entitlement,
}
