//! The payment port: what Tenantry asks of a payment provider, in Tenantry's words.
//!
//! Objects are reduced to what decisions need. Identifiers are the provider's own and opaque. Whatever an adapter does
//! not recognise becomes `Unknown` or `None`, never an error: the provider may add values at any time.

mod error;
mod objects;
mod requests;
mod webhook;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use error::{AfterFailure, PaymentError};
pub use objects::{
    Account, CheckoutSession, Invoice, InvoiceStatus, PaymentIntent, PaymentIntentStatus, PaymentStatus, PriceObject,
    ProductObject, References, SessionStatus, Subscription, WebhookEndpoint,
};
pub use requests::{
    CreatedWebhookEndpoint, CustomerRequest, PriceRequest, ProductRequest, RefundRequest, SessionRequest,
    WebhookEndpointRequest,
};
pub use webhook::{EventObject, HANDLED_EVENTS, ProviderEvent, WebhookRefusal};

/// Sent with a write, so that the provider carries it out once however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

/// What a payment provider does for us. Reads are safe to repeat; each write takes the key that its intent row holds.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// The version of its API that every call and every event speak.
    fn api_version(&self) -> &'static str;
    /// Which account the key belongs to, and whether it moves real money.
    async fn account(&self) -> Result<Account, PaymentError>;

    /// Creates a customer and answers with its identifier.
    async fn create_customer(&self, request: &CustomerRequest, key: &IdempotencyKey) -> Result<String, PaymentError>;
    /// Makes a customer be as the request says; done twice is done.
    async fn update_customer(
        &self,
        customer: &str,
        request: &CustomerRequest,
        key: &IdempotencyKey,
    ) -> Result<(), PaymentError>;
    /// The customer that carries this organization in its metadata; looks through those created since `since`.
    async fn find_customer(
        &self,
        references: &References,
        since: DateTime<Utc>,
    ) -> Result<Option<String>, PaymentError>;

    /// Opens a hosted payment page.
    async fn create_checkout(
        &self,
        request: &SessionRequest,
        key: &IdempotencyKey,
    ) -> Result<CheckoutSession, PaymentError>;
    /// Closes a payment page, so that nobody can pay on it any more. One that is not open is `Invalid`.
    async fn expire_checkout(&self, session: &str, key: &IdempotencyKey) -> Result<CheckoutSession, PaymentError>;
    /// The payment page as it is now.
    async fn get_checkout(&self, session: &str) -> Result<CheckoutSession, PaymentError>;
    /// The payment page that carries this checkout in its metadata; looks through those of the customer created since
    /// `since`.
    async fn find_checkout(
        &self,
        customer: &str,
        references: &References,
        since: DateTime<Utc>,
    ) -> Result<Option<CheckoutSession>, PaymentError>;

    /// The subscription as it is now.
    async fn get_subscription(&self, subscription: &str) -> Result<Subscription, PaymentError>;
    /// Ends a subscription at once.
    async fn cancel_subscription(&self, subscription: &str, key: &IdempotencyKey)
    -> Result<Subscription, PaymentError>;

    /// The invoice as it is now.
    async fn get_invoice(&self, invoice: &str) -> Result<Invoice, PaymentError>;
    /// The payment as it is now.
    async fn get_payment_intent(&self, payment_intent: &str) -> Result<PaymentIntent, PaymentError>;
    /// The invoice that a payment belongs to. A payment names neither its invoice nor carries our metadata.
    async fn invoice_of_payment_intent(&self, payment_intent: &str) -> Result<Option<String>, PaymentError>;
    /// The payment that is to settle an invoice. An invoice does not name it either.
    async fn payment_intent_of_invoice(&self, invoice: &str) -> Result<Option<String>, PaymentError>;

    /// Sends a payment back and answers with the refund's identifier. One that has gone back already is `Invalid`.
    async fn refund_payment(&self, request: &RefundRequest, key: &IdempotencyKey) -> Result<String, PaymentError>;
    /// The refund of this payment that carries these references.
    async fn find_refund(&self, request: &RefundRequest) -> Result<Option<String>, PaymentError>;

    /// Makes the product be as requested: created under its own identifier, or brought up to date.
    async fn ensure_product(&self, request: &ProductRequest, key: &IdempotencyKey) -> Result<(), PaymentError>;
    /// A product by its identifier.
    async fn find_product(&self, product: &str) -> Result<Option<ProductObject>, PaymentError>;
    /// Creates a price and moves its lookup key to it. Prices never change: a new amount is a new price.
    async fn create_price(&self, request: &PriceRequest, key: &IdempotencyKey) -> Result<PriceObject, PaymentError>;
    /// The active prices under these lookup keys.
    async fn find_prices(&self, lookup_keys: &[String]) -> Result<Vec<PriceObject>, PaymentError>;
    /// Takes a price off sale; subscriptions that use it stay as they are.
    async fn retire_price(&self, price: &str, key: &IdempotencyKey) -> Result<(), PaymentError>;

    /// The webhook endpoints of the account.
    async fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, PaymentError>;
    /// Creates a webhook endpoint; the answer holds the signing secret, which is shown only once.
    async fn create_webhook_endpoint(
        &self,
        request: &WebhookEndpointRequest,
        key: &IdempotencyKey,
    ) -> Result<CreatedWebhookEndpoint, PaymentError>;
    /// Changes which events an endpoint gets.
    async fn update_webhook_endpoint(
        &self,
        endpoint: &str,
        request: &WebhookEndpointRequest,
        key: &IdempotencyKey,
    ) -> Result<(), PaymentError>;
    /// Removes a webhook endpoint.
    async fn delete_webhook_endpoint(&self, endpoint: &str) -> Result<(), PaymentError>;

    /// Events created at or after `since`, oldest first, each as the bytes that a webhook would have carried. For
    /// installations that no webhook can reach.
    async fn list_events(&self, since: DateTime<Utc>, limit: usize) -> Result<Vec<ProviderEvent>, PaymentError>;

    /// Verifies a delivered event's signature on its raw bytes and reads what the inbox stores.
    fn receive_event(
        &self,
        body: &[u8],
        signature: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ProviderEvent, WebhookRefusal>;
    /// Replaces the signing secrets that come from the ledger; those from the configuration stay valid beside them.
    fn trust_webhook_secrets(&self, secrets: Vec<secrecy::SecretString>);
}
