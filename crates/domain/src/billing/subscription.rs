//! Contracts, and what they entitle to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a contract stands, in the provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// The first payment has not arrived.
    Incomplete,
    /// Nothing is due yet.
    Trialing,
    /// Paid.
    Active,
    /// A renewal failed and is tried again.
    PastDue,
    /// Renewals failed for good; the contract goes on.
    Unpaid,
    /// Stopped, to go on later.
    Paused,
    /// Over.
    Canceled,
    /// The first payment never arrived.
    IncompleteExpired,
}

impl SubscriptionStatus {
    const ALL: [Self; 8] = [
        Self::Incomplete,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Unpaid,
        Self::Paused,
        Self::Canceled,
        Self::IncompleteExpired,
    ];

    /// As the ledger and the provider write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
            Self::IncompleteExpired => "incomplete_expired",
        }
    }

    /// As the ledger and the provider write it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the contract is over for good.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// What the contract lets its owner do.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Active | Self::Trialing => Access::Full,
            Self::PastDue => Access::Grace,
            Self::Unpaid => Access::ReadOnly,
            Self::Paused => Access::Suspended,
            Self::Incomplete | Self::Canceled | Self::IncompleteExpired => Access::None,
        }
    }
}

/// What the owner of a contract may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everything that the plan has.
    Full,
    /// Everything, for now: money is missing.
    Grace,
    /// Look and take along, change nothing.
    ReadOnly,
    /// Nothing, but everything is kept.
    Suspended,
    /// Nothing.
    None,
}

impl Access {
    /// As the ledger writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Grace => "grace",
            Self::ReadOnly => "read_only",
            Self::Suspended => "suspended",
            Self::None => "none",
        }
    }

    /// As the ledger writes it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Full, Self::Grace, Self::ReadOnly, Self::Suspended, Self::None]
            .into_iter()
            .find(|access| access.as_str() == text)
    }

    /// Whether tenants may run under it.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(self, Self::Full | Self::Grace | Self::ReadOnly)
    }
}

/// What a contract gives, as the ledger keeps it beside the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// What its owner may do.
    pub access: Access,
    /// The plan's limits; an absent key is unlimited where the product knows it.
    pub limits: super::catalog::Limits,
    /// Until when this is known to hold.
    pub valid_until: Option<DateTime<Utc>>,
}
