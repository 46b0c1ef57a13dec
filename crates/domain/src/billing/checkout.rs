//! One attempt to buy.

use serde::{Deserialize, Serialize};

/// Where an attempt to buy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// The payment page may still be used.
    Open,
    /// The provider has told us that the money is there.
    Paid,
    /// The page was closed or ran out.
    Expired,
    /// It went wrong; the failure says how.
    Failed,
}

impl CheckoutState {
    /// As the ledger writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// As the ledger writes it.
    #[must_use]
    pub fn from_ledger(text: &str) -> Option<Self> {
        [Self::Open, Self::Paid, Self::Expired, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Why an attempt to buy failed, in the words that a customer reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutFailure {
    /// Stable, such as `payment_failed`.
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
}
