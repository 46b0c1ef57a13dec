//! The payment port, spoken to Stripe.

mod events;
mod lists;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tenantry_domain::billing::{
    PaymentError, PaymentProvider,
    provider::{
        Account, CheckoutSession, CreatedWebhookEndpoint, CustomerRequest, IdempotencyKey, Invoice, PaymentIntent,
        PriceObject, PriceRequest, ProductObject, ProductRequest, ProviderEvent, References, RefundRequest,
        SessionRequest, Subscription, WebhookEndpoint, WebhookEndpointRequest, WebhookRefusal,
    },
};

use crate::{
    API_VERSION, StripeClient,
    form::Form,
    wire::{
        CustomerWire, Identified, InvoicePaymentWire, InvoiceWire, Page, PaymentIntentWire, PriceWire, ProductWire,
        RefundWire, SessionWire, SubscriptionWire, WebhookEndpointWire,
    },
};

/// Stripe takes no more keys in one question.
const LOOKUP_KEYS_AT_ONCE: usize = 10;

fn customer_form(request: &CustomerRequest) -> Form {
    Form::new()
        .with("name", &request.name)
        .with_some("email", request.email.as_ref())
        .with_map("metadata", request.references.metadata())
}

#[async_trait]
impl PaymentProvider for StripeClient {
    fn api_version(&self) -> &'static str {
        API_VERSION
    }

    async fn account(&self) -> Result<Account, PaymentError> {
        let account: Identified = self.get(&["account"], &Form::new()).await?;
        Ok(Account {
            id: account.id,
            livemode: self.livemode(),
        })
    }

    async fn create_customer(&self, request: &CustomerRequest, key: &IdempotencyKey) -> Result<String, PaymentError> {
        let customer: Identified = self.post(&["customers"], &customer_form(request), key).await?;
        Ok(customer.id)
    }

    async fn update_customer(
        &self,
        customer: &str,
        request: &CustomerRequest,
        key: &IdempotencyKey,
    ) -> Result<(), PaymentError> {
        let _: Identified = self
            .post(&["customers", customer], &customer_form(request), key)
            .await?;
        Ok(())
    }

    async fn find_customer(
        &self,
        references: &References,
        since: DateTime<Utc>,
    ) -> Result<Option<String>, PaymentError> {
        let query = Form::new().with("created[gte]", since.timestamp());
        let found = self
            .find_in_list(&["customers"], query, |customer: CustomerWire| {
                let carried = References::from_metadata(&customer.metadata);
                let is_ours = carried.installation == references.installation
                    && carried.organization == references.organization
                    && carried.organization.is_some();
                is_ours.then_some(customer.id)
            })
            .await?;
        Ok(found)
    }

    async fn create_checkout(
        &self,
        request: &SessionRequest,
        key: &IdempotencyKey,
    ) -> Result<CheckoutSession, PaymentError> {
        let form = Form::new()
            .with("mode", "subscription")
            .with("customer", &request.customer)
            .with("line_items[0][price]", &request.price)
            .with("line_items[0][quantity]", 1)
            .with("success_url", &request.success_url)
            .with("cancel_url", &request.cancel_url)
            .with("expires_at", request.expires_at.timestamp())
            .with_some("client_reference_id", request.references.checkout)
            .with_map("metadata", request.references.metadata())
            .with_map("subscription_data[metadata]", request.references.metadata())
            .with_some("subscription_data[trial_period_days]", request.trial_days);
        let session: SessionWire = self.post(&["checkout", "sessions"], &form, key).await?;
        Ok(session.into())
    }

    async fn expire_checkout(&self, session: &str, key: &IdempotencyKey) -> Result<CheckoutSession, PaymentError> {
        let path = ["checkout", "sessions", session, "expire"];
        let session: SessionWire = self.post(&path, &Form::new(), key).await?;
        Ok(session.into())
    }

    async fn get_checkout(&self, session: &str) -> Result<CheckoutSession, PaymentError> {
        let session: SessionWire = self.get(&["checkout", "sessions", session], &Form::new()).await?;
        Ok(session.into())
    }

    async fn find_checkout(
        &self,
        customer: &str,
        references: &References,
        since: DateTime<Utc>,
    ) -> Result<Option<CheckoutSession>, PaymentError> {
        let query = Form::new()
            .with("customer", customer)
            .with("created[gte]", since.timestamp());
        self.find_in_list(&["checkout", "sessions"], query, |session: SessionWire| {
            let session = CheckoutSession::from(session);
            let is_ours = session.references.installation == references.installation
                && session.references.checkout == references.checkout
                && session.references.checkout.is_some();
            is_ours.then_some(session)
        })
        .await
    }

    async fn get_subscription(&self, subscription: &str) -> Result<Subscription, PaymentError> {
        let subscription: SubscriptionWire = self.get(&["subscriptions", subscription], &Form::new()).await?;
        Ok(subscription.into())
    }

    async fn cancel_subscription(
        &self,
        subscription: &str,
        key: &IdempotencyKey,
    ) -> Result<Subscription, PaymentError> {
        let subscription: SubscriptionWire = self.delete(&["subscriptions", subscription], Some(key)).await?;
        Ok(subscription.into())
    }

    async fn get_invoice(&self, invoice: &str) -> Result<Invoice, PaymentError> {
        let invoice: InvoiceWire = self.get(&["invoices", invoice], &Form::new()).await?;
        Ok(invoice.into())
    }

    async fn get_payment_intent(&self, payment_intent: &str) -> Result<PaymentIntent, PaymentError> {
        let payment_intent: PaymentIntentWire = {
            let form = Form::new().with_list("expand", ["latest_charge"]);
            self.get(&["payment_intents", payment_intent], &form).await?
        };
        Ok(payment_intent.into())
    }

    async fn invoice_of_payment_intent(&self, payment_intent: &str) -> Result<Option<String>, PaymentError> {
        let query = Form::new()
            .with("payment[type]", "payment_intent")
            .with("payment[payment_intent]", payment_intent)
            .with("limit", 10);
        let page: Page<InvoicePaymentWire> = self.get(&["invoice_payments"], &query).await?;
        Ok(page.data.into_iter().find_map(InvoicePaymentWire::invoice))
    }

    async fn payment_intent_of_invoice(&self, invoice: &str) -> Result<Option<String>, PaymentError> {
        let query = Form::new().with("invoice", invoice).with("limit", 10);
        let page: Page<InvoicePaymentWire> = self.get(&["invoice_payments"], &query).await?;
        Ok(page.data.into_iter().find_map(InvoicePaymentWire::payment_intent))
    }

    async fn refund_payment(&self, request: &RefundRequest, key: &IdempotencyKey) -> Result<String, PaymentError> {
        let form = Form::new()
            .with("payment_intent", &request.payment_intent)
            .with_map("metadata", request.references.metadata());
        let refund: Identified = self.post(&["refunds"], &form, key).await?;
        Ok(refund.id)
    }

    async fn find_refund(&self, request: &RefundRequest) -> Result<Option<String>, PaymentError> {
        let query = Form::new().with("payment_intent", &request.payment_intent);
        self.find_in_list(&["refunds"], query, |refund: RefundWire| {
            let carried = References::from_metadata(&refund.metadata);
            let is_ours = carried.installation == request.references.installation
                && carried.checkout == request.references.checkout
                && carried.checkout.is_some();
            is_ours.then_some(refund.id)
        })
        .await
    }

    async fn ensure_product(&self, request: &ProductRequest, key: &IdempotencyKey) -> Result<(), PaymentError> {
        let exists = self.find_product(&request.id).await?.is_some();
        // Creating and updating are two calls with different parameters, so they need different keys.
        let (path, act) = if exists {
            (vec!["products", request.id.as_str()], "update")
        } else {
            (vec!["products"], "create")
        };
        let mut form = Form::new()
            .with("name", &request.name)
            .with_map("metadata", request.references.metadata());
        if exists {
            // An empty text takes the description away.
            form = form
                .with("active", true)
                .with("description", request.description.as_deref().unwrap_or_default());
        } else {
            form = form
                .with("id", &request.id)
                .with_some("description", request.description.as_ref());
        }
        let key = IdempotencyKey(format!("{}-{act}", key.0));
        let _: Identified = self.post(&path, &form, &key).await?;
        Ok(())
    }

    async fn find_product(&self, product: &str) -> Result<Option<ProductObject>, PaymentError> {
        match self.get::<ProductWire>(&["products", product], &Form::new()).await {
            Ok(product) => Ok(Some(product.into())),
            Err(PaymentError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_price(&self, request: &PriceRequest, key: &IdempotencyKey) -> Result<PriceObject, PaymentError> {
        let form = Form::new()
            .with("product", &request.product)
            .with("currency", request.amount.currency.code().to_ascii_lowercase())
            .with("unit_amount", request.amount.amount_minor)
            .with("recurring[interval]", request.interval.as_str())
            .with("lookup_key", &request.lookup_key)
            .with("transfer_lookup_key", true)
            .with("nickname", &request.nickname)
            .with_map("metadata", request.references.metadata());
        let price: PriceWire = self.post(&["prices"], &form, key).await?;
        Ok(price.into())
    }

    async fn find_prices(&self, lookup_keys: &[String]) -> Result<Vec<PriceObject>, PaymentError> {
        let mut found = Vec::with_capacity(lookup_keys.len());
        for keys in lookup_keys.chunks(LOOKUP_KEYS_AT_ONCE) {
            let query = Form::new()
                .with("active", true)
                .with("limit", 100)
                .with_list("lookup_keys", keys);
            let page: Page<PriceWire> = self.get(&["prices"], &query).await?;
            found.extend(page.data.into_iter().map(PriceObject::from));
        }
        Ok(found)
    }

    async fn retire_price(&self, price: &str, key: &IdempotencyKey) -> Result<(), PaymentError> {
        let _: Identified = self
            .post(&["prices", price], &Form::new().with("active", false), key)
            .await?;
        Ok(())
    }

    async fn list_webhook_endpoints(&self) -> Result<Vec<WebhookEndpoint>, PaymentError> {
        let mut endpoints = Vec::new();
        self.each_in_list(&["webhook_endpoints"], Form::new(), |endpoint: WebhookEndpointWire| {
            endpoints.push(WebhookEndpoint::from(endpoint));
        })
        .await?;
        Ok(endpoints)
    }

    async fn create_webhook_endpoint(
        &self,
        request: &WebhookEndpointRequest,
        key: &IdempotencyKey,
    ) -> Result<CreatedWebhookEndpoint, PaymentError> {
        let form = Form::new()
            .with("url", &request.url)
            .with("api_version", API_VERSION)
            .with_list("enabled_events", &request.events)
            .with_map("metadata", request.references.metadata());
        let endpoint: WebhookEndpointWire = self.post(&["webhook_endpoints"], &form, key).await?;
        let secret = endpoint.secret.ok_or_else(|| PaymentError::Unreadable {
            reason: "the new webhook endpoint came without its signing secret".to_owned(),
        })?;
        Ok(CreatedWebhookEndpoint {
            id: endpoint.id,
            secret: SecretString::from(secret),
        })
    }

    async fn update_webhook_endpoint(
        &self,
        endpoint: &str,
        request: &WebhookEndpointRequest,
        key: &IdempotencyKey,
    ) -> Result<(), PaymentError> {
        let form = Form::new()
            .with("url", &request.url)
            .with("disabled", false)
            .with_list("enabled_events", &request.events);
        let _: Identified = self.post(&["webhook_endpoints", endpoint], &form, key).await?;
        Ok(())
    }

    async fn delete_webhook_endpoint(&self, endpoint: &str) -> Result<(), PaymentError> {
        let _: Identified = self.delete(&["webhook_endpoints", endpoint], None).await?;
        Ok(())
    }

    async fn list_events(&self, since: DateTime<Utc>, limit: usize) -> Result<Vec<ProviderEvent>, PaymentError> {
        self.events_since(since, limit).await
    }

    fn receive_event(
        &self,
        body: &[u8],
        signature: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ProviderEvent, WebhookRefusal> {
        crate::verify(body, signature, &self.webhook_secrets(), now)?;
        events::read(body)
    }

    fn trust_webhook_secrets(&self, secrets: Vec<SecretString>) {
        self.replace_ledger_secrets(secrets);
    }
}
