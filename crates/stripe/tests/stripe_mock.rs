//! Every request that the adapter sends, judged by Stripe's own OpenAPI document: stripe-mock refuses parameters that
//! Stripe does not know and versions that it does not speak.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do fails it")]

use std::{path::Path, process::Stdio, time::Duration};

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use tenantry_domain::{
    billing::{
        PaymentError, PaymentProvider,
        catalog::Interval,
        provider::{
            CustomerRequest, HANDLED_EVENTS, IdempotencyKey, PriceRequest, ProductRequest, References, SessionRequest,
            WebhookEndpointRequest,
        },
    },
    ids::{CheckoutId, InstallationId, OrganizationId, TenantId},
    money::Money,
};
use tenantry_stripe::{StripeClient, StripeConfig};
use tenantry_test_support::{free_port, wait_for};
use tokio::process::{Child, Command};

const KEY: &str = "sk_test_123";

struct StripeMock {
    url: String,
    _process: Child,
}

impl StripeMock {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev/tools/install");
        let found = Command::new(install)
            .arg("stripe-mock")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .await
            .unwrap();
        assert!(found.status.success(), "stripe-mock cannot be had");
        let program = String::from_utf8(found.stdout).unwrap().trim().to_owned();
        let address = format!("127.0.0.1:{}", free_port());
        // Named as well, or it listens at its own fixed port, where a second one finds no room.
        let encrypted = format!("127.0.0.1:{}", free_port());
        let process = Command::new(program)
            .args([
                "-http-addr",
                &address,
                "-https-addr",
                &encrypted,
                "-strict-version-check",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{address}");
        let client = reqwest::Client::new();
        wait_for("stripe-mock to start", Duration::from_secs(90), async || {
            client.get(&url).send().await.ok()
        })
        .await;
        Self { url, _process: process }
    }

    fn adapter(&self) -> StripeClient {
        let config = StripeConfig::at(self.url.parse().unwrap(), SecretString::from(KEY.to_owned())).unwrap();
        StripeClient::new(&config).unwrap()
    }
}

fn key(name: &str) -> IdempotencyKey {
    IdempotencyKey(format!("tenantry-{name}"))
}

fn references() -> References {
    let id = "0188bac7-4afa-78aa-bc3b-bd1eef28d881".parse().unwrap();
    References {
        installation: Some(InstallationId::from_uuid(id)),
        organization: Some(OrganizationId::from_uuid(id)),
        checkout: Some(CheckoutId::from_uuid(id)),
        tenant: Some(TenantId::from_uuid(id)),
    }
}

fn accepted<T>(call: &str, answer: Result<T, PaymentError>) -> T {
    answer.unwrap_or_else(|error| panic!("{call}: {error}"))
}

#[tokio::test]
async fn every_request_is_one_that_stripe_knows() {
    let mock = StripeMock::start().await;
    let stripe = mock.adapter();
    let since = Utc::now() - TimeDelta::hours(1);
    accepted("account", stripe.account().await);

    let customer = CustomerRequest {
        name: "\"; {{ x }} 🦖".to_owned(),
        email: Some("owner@example.org".to_owned()),
        references: references(),
    };
    accepted(
        "create_customer",
        stripe.create_customer(&customer, &key("customer")).await,
    );
    accepted(
        "update_customer",
        stripe.update_customer("cus_1", &customer, &key("rename")).await,
    );
    accepted("find_customer", stripe.find_customer(&references(), since).await);

    let session = SessionRequest {
        customer: "cus_1".to_owned(),
        price: "price_1".to_owned(),
        trial_days: Some(14),
        success_url: "https://tenantry.example/o/museum/checkouts/chk_1".to_owned(),
        cancel_url: "https://tenantry.example/o/museum/checkouts/chk_1/cancelled".to_owned(),
        expires_at: Utc::now() + TimeDelta::hours(1),
        references: references(),
    };
    accepted(
        "create_checkout",
        stripe.create_checkout(&session, &key("checkout")).await,
    );
    accepted(
        "create_checkout",
        stripe
            .create_checkout(
                &SessionRequest {
                    trial_days: None,
                    ..session
                },
                &key("2"),
            )
            .await,
    );
    accepted("expire_checkout", stripe.expire_checkout("cs_1", &key("expire")).await);
    accepted("get_checkout", stripe.get_checkout("cs_1").await);
    accepted(
        "find_checkout",
        stripe.find_checkout("cus_1", &references(), since).await,
    );

    accepted("get_subscription", stripe.get_subscription("sub_1").await);
    accepted(
        "cancel_subscription",
        stripe.cancel_subscription("sub_1", &key("cancel")).await,
    );
    accepted("get_invoice", stripe.get_invoice("in_1").await);
    accepted("get_payment_intent", stripe.get_payment_intent("pi_1").await);
    accepted(
        "invoice_of_payment_intent",
        stripe.invoice_of_payment_intent("pi_1").await,
    );

    let product = ProductRequest {
        id: "ins_1_collection".to_owned(),
        name: "Collection".to_owned(),
        description: Some("A site".to_owned()),
        references: references(),
    };
    accepted("ensure_product", stripe.ensure_product(&product, &key("product")).await);
    accepted("find_product", stripe.find_product("ins_1_collection").await);
    let price = PriceRequest {
        product: product.id,
        lookup_key: "ins_1_collection_starter_month_eur".to_owned(),
        amount: Money {
            amount_minor: 4900,
            currency: "EUR".parse().unwrap(),
        },
        interval: Interval::Month,
        nickname: "collection_starter_month_eur".to_owned(),
        references: references(),
    };
    accepted("create_price", stripe.create_price(&price, &key("price")).await);
    let many: Vec<String> = (0..12).map(|number| format!("key_{number}")).collect();
    accepted("find_prices", stripe.find_prices(&many).await);
    accepted("retire_price", stripe.retire_price("price_1", &key("retire")).await);

    let endpoint = WebhookEndpointRequest {
        url: "https://tenantry.example/webhooks/stripe".to_owned(),
        events: HANDLED_EVENTS.iter().map(ToString::to_string).collect(),
        references: references(),
    };
    accepted("list_webhook_endpoints", stripe.list_webhook_endpoints().await);
    // The request is accepted; the mock's example of an endpoint is not a new one, so it may lack the secret.
    match stripe.create_webhook_endpoint(&endpoint, &key("webhook")).await {
        Ok(_) | Err(PaymentError::Unreadable { .. }) => {}
        Err(error) => panic!("create_webhook_endpoint: {error}"),
    }
    accepted(
        "update_webhook_endpoint",
        stripe.update_webhook_endpoint("we_1", &endpoint, &key("update")).await,
    );
    accepted("delete_webhook_endpoint", stripe.delete_webhook_endpoint("we_1").await);
    accepted("list_events", stripe.list_events(since, 10).await);
}

/// The judge is awake: it refuses what Stripe would refuse.
#[tokio::test]
async fn the_judge_refuses_unknown_parameters_and_other_versions() {
    let mock = StripeMock::start().await;
    let client = reqwest::Client::new();
    let post = |version: &'static str, body: &'static str| {
        client
            .post(format!("{}/v1/customers", mock.url))
            .bearer_auth(KEY)
            .header("Stripe-Version", version)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    assert_eq!(
        post(tenantry_stripe::API_VERSION, "name=a").await.unwrap().status(),
        200
    );
    assert_eq!(
        post(tenantry_stripe::API_VERSION, "nmae=a").await.unwrap().status(),
        400
    );
    assert_eq!(post("2024-06-20", "name=a").await.unwrap().status(), 400);
}
