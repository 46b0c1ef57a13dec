//! Stripe's objects as they come over the wire, read leniently: only the fields that are used, each of which may be
//! missing, and identifiers also where Stripe was asked to put the whole object.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use tenantry_domain::{
    billing::{
        catalog::Interval,
        provider::{
            CheckoutSession, Invoice, InvoiceStatus, PaymentIntent, PaymentIntentStatus, PaymentStatus, PriceObject,
            ProductObject, References, SessionStatus, Subscription, WebhookEndpoint,
        },
        subscription::SubscriptionStatus,
    },
    money::Money,
};

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    #[serde(default = "Vec::new")]
    pub(crate) data: Vec<T>,
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// An identifier, or an object that has one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
    Other(IgnoredAny),
}

impl Reference {
    fn id(self) -> Option<String> {
        match self {
            Self::Id(id) | Self::Object { id } => Some(id),
            Self::Other(_) => None,
        }
    }
}

fn id_of(reference: Option<Reference>) -> Option<String> {
    reference.and_then(Reference::id)
}

fn time(seconds: Option<i64>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds?, 0)
}

/// `null` is as good as absent.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

type Metadata = BTreeMap<String, String>;

/// Any object, by its identifier.
#[derive(Debug, Deserialize)]
pub(crate) struct Identified {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CustomerWire {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SessionWire {
    id: String,
    status: Option<SessionStatus>,
    payment_status: Option<PaymentStatus>,
    customer: Option<Reference>,
    subscription: Option<Reference>,
    url: Option<String>,
    expires_at: Option<i64>,
    #[serde(default)]
    livemode: bool,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
}

impl From<SessionWire> for CheckoutSession {
    fn from(wire: SessionWire) -> Self {
        Self {
            id: wire.id,
            status: wire.status.unwrap_or(SessionStatus::Unknown),
            payment_status: wire.payment_status.unwrap_or(PaymentStatus::Unknown),
            customer: id_of(wire.customer),
            subscription: id_of(wire.subscription),
            url: wire.url,
            expires_at: time(wire.expires_at),
            livemode: wire.livemode,
            references: References::from_metadata(&wire.metadata),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct SubscriptionWire {
    id: String,
    status: Option<String>,
    customer: Option<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    items: Items,
    #[serde(default)]
    cancel_at_period_end: bool,
    cancel_at: Option<i64>,
    ended_at: Option<i64>,
    latest_invoice: Option<Reference>,
    #[serde(default)]
    livemode: bool,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
struct Items {
    #[serde(default)]
    data: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    price: Option<Reference>,
    current_period_end: Option<i64>,
}

impl From<SubscriptionWire> for Subscription {
    fn from(wire: SubscriptionWire) -> Self {
        let period_end = wire.items.data.iter().filter_map(|item| item.current_period_end).min();
        Self {
            id: wire.id,
            status: wire.status.as_deref().and_then(SubscriptionStatus::from_text),
            customer: id_of(wire.customer),
            price: wire.items.data.into_iter().next().and_then(|item| id_of(item.price)),
            current_period_end: time(period_end),
            cancel_at_period_end: wire.cancel_at_period_end || wire.cancel_at.is_some(),
            ended_at: time(wire.ended_at),
            latest_invoice: id_of(wire.latest_invoice),
            livemode: wire.livemode,
            references: References::from_metadata(&wire.metadata),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct InvoiceWire {
    id: String,
    status: Option<InvoiceStatus>,
    #[serde(default)]
    attempted: bool,
    amount_remaining: Option<i64>,
    currency: Option<String>,
    hosted_invoice_url: Option<String>,
    parent: Option<InvoiceParent>,
    customer: Option<Reference>,
    #[serde(default)]
    livemode: bool,
}

#[derive(Debug, Deserialize)]
struct InvoiceParent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Deserialize)]
struct SubscriptionDetails {
    subscription: Option<Reference>,
}

impl From<InvoiceWire> for Invoice {
    fn from(wire: InvoiceWire) -> Self {
        let details = wire.parent.and_then(|parent| parent.subscription_details);
        Self {
            id: wire.id,
            status: wire.status.unwrap_or(InvoiceStatus::Unknown),
            attempted: wire.attempted,
            amount_remaining: money(wire.amount_remaining, wire.currency.as_deref()),
            page: wire.hosted_invoice_url,
            subscription: details.and_then(|details| id_of(details.subscription)),
            customer: id_of(wire.customer),
            livemode: wire.livemode,
        }
    }
}

/// `None` for a currency that we do not know.
fn money(amount_minor: Option<i64>, currency: Option<&str>) -> Option<Money> {
    let (amount_minor, currency) = amount_minor.zip(currency?.parse().ok())?;
    Some(Money { amount_minor, currency })
}

#[derive(Debug, Deserialize)]
pub(crate) struct InvoicePaymentWire {
    invoice: Option<Reference>,
    payment: Option<InvoicePaymentSource>,
}

#[derive(Debug, Deserialize)]
struct InvoicePaymentSource {
    payment_intent: Option<Reference>,
}

impl InvoicePaymentWire {
    pub(crate) fn payment_intent(self) -> Option<String> {
        id_of(self.payment.and_then(|payment| payment.payment_intent))
    }

    pub(crate) fn invoice(self) -> Option<String> {
        id_of(self.invoice)
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct PaymentIntentWire {
    id: String,
    status: Option<PaymentIntentStatus>,
    customer: Option<Reference>,
    amount: Option<i64>,
    currency: Option<String>,
    /// Comes along where it is asked for.
    latest_charge: Option<ChargeWire>,
    #[serde(default)]
    livemode: bool,
}

/// A charge, or its identifier alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ChargeWire {
    Whole {
        #[serde(default)]
        refunded: bool,
    },
    Id(#[expect(dead_code, reason = "says only that the object did not come along")] String),
}

impl From<PaymentIntentWire> for PaymentIntent {
    fn from(wire: PaymentIntentWire) -> Self {
        Self {
            id: wire.id,
            status: wire.status.unwrap_or(PaymentIntentStatus::Pending),
            customer: id_of(wire.customer),
            amount: money(wire.amount, wire.currency.as_deref()),
            refunded: matches!(wire.latest_charge, Some(ChargeWire::Whole { refunded: true })),
            livemode: wire.livemode,
        }
    }
}

/// A refund, as far as it is found again by what it carries.
#[derive(Debug, Deserialize)]
pub(crate) struct RefundWire {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) metadata: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ProductWire {
    id: String,
    #[serde(default)]
    name: String,
    description: Option<String>,
    #[serde(default)]
    active: bool,
}

impl From<ProductWire> for ProductObject {
    fn from(wire: ProductWire) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            description: wire.description.filter(|text| !text.is_empty()),
            active: wire.active,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct PriceWire {
    id: String,
    lookup_key: Option<String>,
    product: Option<Reference>,
    unit_amount: Option<i64>,
    currency: Option<String>,
    recurring: Option<Recurring>,
    #[serde(default)]
    active: bool,
}

#[derive(Debug, Deserialize)]
struct Recurring {
    interval: Option<String>,
    interval_count: Option<i64>,
}

impl From<PriceWire> for PriceObject {
    fn from(wire: PriceWire) -> Self {
        let each_interval = wire
            .recurring
            .filter(|recurring| recurring.interval_count.unwrap_or(1) == 1);
        Self {
            id: wire.id,
            lookup_key: wire.lookup_key,
            product: id_of(wire.product),
            amount_minor: wire.unit_amount,
            currency: wire.currency.and_then(|code| code.parse().ok()),
            interval: each_interval.and_then(|recurring| Interval::from_text(recurring.interval.as_deref()?)),
            active: wire.active,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct WebhookEndpointWire {
    pub(crate) id: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    enabled_events: Vec<String>,
    api_version: Option<String>,
    status: Option<String>,
    pub(crate) secret: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
}

impl From<WebhookEndpointWire> for WebhookEndpoint {
    fn from(wire: WebhookEndpointWire) -> Self {
        Self {
            id: wire.id,
            url: wire.url,
            events: wire.enabled_events,
            api_version: wire.api_version,
            enabled: wire.status.as_deref() == Some("enabled"),
            references: References::from_metadata(&wire.metadata),
        }
    }
}

/// An event's envelope; its object is looked at no further than kind and identifier.
#[derive(Debug, Deserialize)]
pub(crate) struct EventWire {
    pub(crate) id: String,
    pub(crate) r#type: String,
    pub(crate) api_version: Option<String>,
    #[serde(default)]
    pub(crate) created: i64,
    #[serde(default)]
    pub(crate) livemode: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) data: EventData,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct EventData {
    #[serde(default)]
    pub(crate) object: Option<EventObjectWire>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EventObjectWire {
    pub(crate) id: Option<String>,
    pub(crate) object: Option<String>,
    /// Of a charge.
    #[serde(default)]
    pub(crate) payment_intent: Option<String>,
}
