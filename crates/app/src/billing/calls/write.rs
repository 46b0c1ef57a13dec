//! Every write that is made to the payment provider, how it is sent, and how what came of it is found again.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Serialize;
use tenantry_domain::billing::{
    PaymentError, PaymentProvider,
    provider::{
        CheckoutSession, CustomerRequest, IdempotencyKey, PriceRequest, ProductRequest, RefundRequest, SessionRequest,
        SessionStatus, WebhookEndpointRequest,
    },
    subscription::SubscriptionStatus,
};

/// One write. Its serialisation is what the ledger knows it again by, so names stay as they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::billing) enum Write {
    Customer(CustomerRequest),
    UpdateCustomer {
        customer: String,
        request: CustomerRequest,
    },
    Checkout(SessionRequest),
    ExpireCheckout {
        session: String,
    },
    CancelSubscription {
        subscription: String,
    },
    Product(ProductRequest),
    Price(PriceRequest),
    RetirePrice {
        price: String,
    },
    WebhookEndpoint(WebhookEndpointRequest),
    UpdateWebhookEndpoint {
        endpoint: String,
        request: WebhookEndpointRequest,
    },
    Refund(RefundRequest),
    DeleteWebhookEndpoint {
        endpoint: String,
    },
}

/// What came of a write.
#[derive(Debug)]
pub(in crate::billing) struct Written {
    /// The provider's identifier.
    pub(in crate::billing) id: String,
    /// The payment page, where it is one.
    pub(in crate::billing) session: Option<CheckoutSession>,
    /// The signing secret of a new webhook endpoint.
    pub(in crate::billing) secret: Option<SecretString>,
}

impl Written {
    fn id(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            session: None,
            secret: None,
        }
    }

    fn session(session: CheckoutSession) -> Self {
        Self {
            id: session.id.clone(),
            session: Some(session),
            secret: None,
        }
    }
}

impl Write {
    /// Sends it.
    pub(super) async fn send(
        &self,
        provider: &dyn PaymentProvider,
        key: &IdempotencyKey,
    ) -> Result<Written, PaymentError> {
        match self {
            Self::Customer(request) => provider.create_customer(request, key).await.map(Written::id),
            Self::UpdateCustomer { customer, request } => provider
                .update_customer(customer, request, key)
                .await
                .map(|()| Written::id(customer)),
            Self::Checkout(request) => provider.create_checkout(request, key).await.map(Written::session),
            Self::ExpireCheckout { session } => provider.expire_checkout(session, key).await.map(Written::session),
            Self::CancelSubscription { subscription } => provider
                .cancel_subscription(subscription, key)
                .await
                .map(|subscription| Written::id(subscription.id)),
            Self::Product(request) => provider
                .ensure_product(request, key)
                .await
                .map(|()| Written::id(&request.id)),
            Self::Price(request) => provider
                .create_price(request, key)
                .await
                .map(|price| Written::id(price.id)),
            Self::RetirePrice { price } => provider.retire_price(price, key).await.map(|()| Written::id(price)),
            Self::WebhookEndpoint(request) => {
                let created = provider.create_webhook_endpoint(request, key).await?;
                Ok(Written {
                    id: created.id,
                    session: None,
                    secret: Some(created.secret),
                })
            }
            Self::UpdateWebhookEndpoint { endpoint, request } => provider
                .update_webhook_endpoint(endpoint, request, key)
                .await
                .map(|()| Written::id(endpoint)),
            Self::Refund(request) => provider.refund_payment(request, key).await.map(Written::id),
            // The provider keeps no keys of removals: one that is gone was removed by an earlier try.
            Self::DeleteWebhookEndpoint { endpoint } => match provider.delete_webhook_endpoint(endpoint).await {
                Ok(()) | Err(PaymentError::NotFound) => Ok(Written::id(endpoint)),
                Err(error) => Err(error),
            },
        }
    }

    /// What was written before, by the identifier that was noted then.
    pub(super) async fn load(&self, provider: &dyn PaymentProvider, id: String) -> Result<Written, PaymentError> {
        match self {
            Self::Checkout(_) | Self::ExpireCheckout { .. } => provider.get_checkout(&id).await.map(Written::session),
            _ => Ok(Written::id(id)),
        }
    }

    /// What an earlier try made whose answer never came or was a failure. `None`: nothing, or nothing that hurts when it
    /// is done again.
    pub(super) async fn look_up(
        &self,
        provider: &dyn PaymentProvider,
        since: DateTime<Utc>,
    ) -> Result<Option<Written>, PaymentError> {
        match self {
            Self::Customer(request) => Ok(provider
                .find_customer(&request.references, since)
                .await?
                .map(Written::id)),
            Self::Checkout(request) => {
                let found = provider
                    .find_checkout(&request.customer, &request.references, since)
                    .await?;
                Ok(found.map(Written::session))
            }
            Self::ExpireCheckout { session } => {
                let session = provider.get_checkout(session).await?;
                Ok((session.status == SessionStatus::Expired).then(|| Written::session(session)))
            }
            Self::CancelSubscription { subscription } => {
                let found = provider.get_subscription(subscription).await?;
                Ok((found.status == Some(SubscriptionStatus::Canceled)).then(|| Written::id(found.id)))
            }
            Self::Refund(request) => Ok(provider.find_refund(request).await?.map(Written::id)),
            Self::Price(request) => {
                let found = provider.find_prices(std::slice::from_ref(&request.lookup_key)).await?;
                let same = found.into_iter().find(|price| {
                    price.product.as_deref() == Some(request.product.as_str())
                        && price.amount_minor == Some(request.amount.amount_minor)
                        && price.currency == Some(request.amount.currency)
                        && price.interval == Some(request.interval)
                });
                Ok(same.map(|price| Written::id(price.id)))
            }
            // The secret of an endpoint that was made is lost: another one is made, and replaces it.
            Self::WebhookEndpoint(_)
            | Self::UpdateCustomer { .. }
            | Self::Product(_)
            | Self::RetirePrice { .. }
            | Self::UpdateWebhookEndpoint { .. }
            | Self::DeleteWebhookEndpoint { .. } => Ok(None),
        }
    }
}
