//! The provider's objects, reduced to what decisions need.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CheckoutId, InstallationId, OrganizationId, TenantId},
    money::{Currency, Money},
};

use super::super::{catalog::Interval, subscription::SubscriptionStatus};

/// Whose account a key opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The account's identifier.
    pub id: String,
    /// Whether the key moves real money.
    pub livemode: bool,
}

/// Our own identifiers, as they travel in a provider object's metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// Which installation made the object.
    pub installation: Option<InstallationId>,
    /// For which customer.
    pub organization: Option<OrganizationId>,
    /// In which purchase.
    pub checkout: Option<CheckoutId>,
    /// For which tenant.
    pub tenant: Option<TenantId>,
}

const INSTALLATION: &str = "tenantry_installation";
const ORGANIZATION: &str = "tenantry_organization";
const CHECKOUT: &str = "tenantry_checkout";
const TENANT: &str = "tenantry_tenant";

impl References {
    /// Reads our keys and ignores all others; a value that is not one of our identifiers counts as absent.
    #[must_use]
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Self {
        Self {
            installation: metadata.get(INSTALLATION).and_then(|id| id.parse().ok()),
            organization: metadata.get(ORGANIZATION).and_then(|id| id.parse().ok()),
            checkout: metadata.get(CHECKOUT).and_then(|id| id.parse().ok()),
            tenant: metadata.get(TENANT).and_then(|id| id.parse().ok()),
        }
    }

    /// The pairs to send.
    #[must_use]
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::with_capacity(4);
        pairs.extend(self.installation.map(|id| (INSTALLATION, id.to_string())));
        pairs.extend(self.organization.map(|id| (ORGANIZATION, id.to_string())));
        pairs.extend(self.checkout.map(|id| (CHECKOUT, id.to_string())));
        pairs.extend(self.tenant.map(|id| (TENANT, id.to_string())));
        pairs
    }
}

/// Where a payment page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Somebody can pay on it.
    Open,
    /// Somebody went through it; the payment itself may still be under way.
    Complete,
    /// Nobody can pay on it any more.
    Expired,
    /// A value that we do not know.
    #[serde(other)]
    Unknown,
}

/// Whether a payment page's money has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// It has.
    Paid,
    /// It has not, or not yet.
    Unpaid,
    /// Nothing is due now, as in a trial.
    NoPaymentRequired,
    /// A value that we do not know.
    #[serde(other)]
    Unknown,
}

/// A hosted payment page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutSession {
    /// The provider's identifier.
    pub id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Whether its money has arrived.
    pub payment_status: PaymentStatus,
    /// Who pays.
    pub customer: Option<String>,
    /// What came of it.
    pub subscription: Option<String>,
    /// Where to pay, while it is open.
    pub url: Option<String>,
    /// When it closes by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// Our identifiers.
    pub references: References,
}

/// A customer's contract, as the provider keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The provider's identifier.
    pub id: String,
    /// Where it stands; a value that we do not know is `None`.
    pub status: Option<SubscriptionStatus>,
    /// Who pays.
    pub customer: Option<String>,
    /// The price of its first item.
    pub price: Option<String>,
    /// Until when it is paid for.
    pub current_period_end: Option<DateTime<Utc>>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The invoice that was made last.
    pub latest_invoice: Option<String>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// Our identifiers.
    pub references: References,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Not sent.
    Draft,
    /// Sent, and waiting for money.
    Open,
    /// Settled.
    Paid,
    /// Given up.
    Uncollectible,
    /// Taken back.
    Void,
    /// A value that we do not know.
    #[serde(other)]
    Unknown,
}

/// A demand for money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// The provider's identifier.
    pub id: String,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// Whether its payment was tried.
    pub attempted: bool,
    /// What is still to be paid.
    pub amount_remaining: Option<Money>,
    /// Where it can be paid by hand.
    pub page: Option<String>,
    /// Which subscription it is for.
    pub subscription: Option<String>,
    /// Who pays.
    pub customer: Option<String>,
    /// Whether it moves real money.
    pub livemode: bool,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentIntentStatus {
    /// The money has arrived.
    Succeeded,
    /// It was called off.
    Canceled,
    /// Nothing was tried yet, or what was tried was refused.
    RequiresPaymentMethod,
    /// Anything between.
    #[serde(other)]
    Pending,
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentIntent {
    /// The provider's identifier.
    pub id: String,
    /// Where it stands.
    pub status: PaymentIntentStatus,
    /// Who pays.
    pub customer: Option<String>,
    /// How much.
    pub amount: Option<Money>,
    /// Whether all of it has gone back.
    pub refunded: bool,
    /// Whether it moves real money.
    pub livemode: bool,
}

/// A product as the provider lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductObject {
    /// The identifier, which we choose.
    pub id: String,
    /// What invoices call it.
    pub name: String,
    /// What the payment page says about it.
    pub description: Option<String>,
    /// Whether it is on sale.
    pub active: bool,
}

/// A price as the provider lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceObject {
    /// The provider's identifier.
    pub id: String,
    /// The key that we find it by.
    pub lookup_key: Option<String>,
    /// Of which product.
    pub product: Option<String>,
    /// Smallest units of `currency`; `None` for a price in tiers.
    pub amount_minor: Option<i64>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// How often; `None` for once.
    pub interval: Option<Interval>,
    /// Whether it is on sale.
    pub active: bool,
}

/// Where the provider sends events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// The provider's identifier.
    pub id: String,
    /// Where to.
    pub url: String,
    /// Which types.
    pub events: Vec<String>,
    /// In which version of the API.
    pub api_version: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Which installation made it.
    pub references: References,
}
