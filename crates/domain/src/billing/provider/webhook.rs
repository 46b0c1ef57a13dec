//! Events as they arrive.

use chrono::{DateTime, Utc};

/// The types of event that say something about a purchase. All others are kept and ignored.
pub const HANDLED_EVENTS: [&str; 12] = [
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "payment_intent.succeeded",
];

/// What an event is about, and thereby what is fetched because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventObject {
    /// A payment page.
    CheckoutSession(String),
    /// A subscription.
    Subscription(String),
    /// An invoice.
    Invoice(String),
    /// A payment.
    PaymentIntent(String),
}

impl EventObject {
    /// From the name that the provider gives the kind of object.
    #[must_use]
    pub fn new(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "checkout.session" => Some(Self::CheckoutSession(id.to_owned())),
            "subscription" => Some(Self::Subscription(id.to_owned())),
            "invoice" => Some(Self::Invoice(id.to_owned())),
            "payment_intent" => Some(Self::PaymentIntent(id.to_owned())),
            _ => None,
        }
    }

    /// The object's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::CheckoutSession(id) | Self::Subscription(id) | Self::Invoice(id) | Self::PaymentIntent(id) => id,
        }
    }
}

/// An event, read as far as the inbox needs. It is a hint that something changed, never the truth about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's identifier, by which a second delivery is recognised.
    pub id: String,
    /// Such as `invoice.paid`.
    pub kind: String,
    /// The identifier of what it is about.
    pub object_id: Option<String>,
    /// The kind of what it is about.
    pub object_type: Option<String>,
    /// In which version of the API it was written.
    pub api_version: Option<String>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// The JSON text as received.
    pub payload: String,
}

impl ProviderEvent {
    /// What to fetch because of this event; `None` when it says nothing about a purchase.
    #[must_use]
    pub fn subject(&self) -> Option<EventObject> {
        if !HANDLED_EVENTS.contains(&self.kind.as_str()) {
            return None;
        }
        EventObject::new(self.object_type.as_deref()?, self.object_id.as_deref()?)
    }
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// There is no signature, or more of it than any provider sends.
    #[error("the delivery carries no usable signature header")]
    SignatureMissing,
    /// The header is there and cannot be read.
    #[error("the signature header cannot be read")]
    SignatureMalformed,
    /// Nobody who knows one of our secrets made this signature for these bytes.
    #[error("the signature does not match: check that the endpoint's signing secret is the one configured")]
    SignatureWrong,
    /// Signed too long ago: possibly a replay.
    #[error("the signature is older than the tolerance: check the clock of this machine")]
    SignatureStale,
    /// Signed in the future.
    #[error("the signature is from the future: check the clock of this machine")]
    SignatureFuture,
    /// We know no secret to check with.
    #[error("no webhook signing secret is configured")]
    NoSecret,
    /// The bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The text is not an event.
    #[error("the body is not an event: {reason}")]
    NotAnEvent {
        /// Which part.
        reason: String,
    },
}

impl WebhookRefusal {
    /// The stable code under which people meet this refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureWrong => "signature_wrong",
            Self::SignatureStale => "signature_stale",
            Self::SignatureFuture => "signature_future",
            Self::NoSecret => "webhook_secret_missing",
            Self::NotUtf8 => "body_not_utf8",
            Self::NotAnEvent { .. } => "body_not_an_event",
        }
    }
}
