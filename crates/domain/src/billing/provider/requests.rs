//! What we ask the provider to make.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Serialize;

use crate::money::Money;

use super::{super::catalog::Interval, References};

/// A customer: one for each organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerRequest {
    /// The organization's name, as invoices show it.
    pub name: String,
    /// Where invoices go.
    pub email: Option<String>,
    /// Our identifiers.
    pub references: References,
}

/// A hosted payment page for one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionRequest {
    /// Who pays.
    pub customer: String,
    /// The provider's identifier of the price.
    pub price: String,
    /// Days before the first payment is due.
    pub trial_days: Option<u32>,
    /// Where the browser goes after paying.
    pub success_url: String,
    /// Where the browser goes after leaving.
    pub cancel_url: String,
    /// When the page closes by itself.
    pub expires_at: DateTime<Utc>,
    /// Our identifiers, set on the page and on the subscription that comes of it.
    pub references: References,
}

/// A payment that goes back, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundRequest {
    /// The provider's identifier of the payment.
    pub payment_intent: String,
    /// Ours.
    pub references: References,
}

/// A product under an identifier that we choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductRequest {
    /// The identifier.
    pub id: String,
    /// What invoices call it.
    pub name: String,
    /// What the payment page says about it.
    pub description: Option<String>,
    /// Our identifiers.
    pub references: References,
}

/// A recurring price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceRequest {
    /// Of which product.
    pub product: String,
    /// The key that we find it by; taken over from an older price.
    pub lookup_key: String,
    /// How much.
    pub amount: Money,
    /// How often.
    pub interval: Interval,
    /// What people who look at the account see.
    pub nickname: String,
    /// Our identifiers.
    pub references: References,
}

/// Where events are to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookEndpointRequest {
    /// Where to.
    pub url: String,
    /// Which types.
    pub events: Vec<String>,
    /// Our identifiers.
    pub references: References,
}

/// A new endpoint and its signing secret.
#[derive(Debug, Clone)]
pub struct CreatedWebhookEndpoint {
    /// The provider's identifier.
    pub id: String,
    /// Proves that a delivery comes from the provider; shown only once.
    pub secret: SecretString,
}
