//! Key, mode, webhook endpoint.

use tenantry_domain::billing::{
    PaymentError, PaymentProvider,
    provider::{HANDLED_EVENTS, WebhookEndpoint},
};
use tenantry_stripe::{API_VERSION, StripeClient};

use super::Finding;
use crate::{config::Configuration, wiring};

const AREA: &str = "Stripe";

pub(super) async fn check(configuration: &Configuration) -> Vec<Finding> {
    let client = match wiring::stripe(configuration).map(|config| StripeClient::new(&config)) {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return vec![unusable(error)],
        Err(failure) => return vec![unusable(failure)],
    };
    let account = match client.account().await {
        Ok(account) => {
            let mode = if account.livemode {
                "live mode: real money"
            } else {
                "test mode"
            };
            Finding::ok(AREA, "key", format!("account {}, {mode}", account.id))
        }
        Err(error) => return vec![refused(&error)],
    };
    let endpoint = match client.list_webhook_endpoints().await {
        _ if configuration.stripe_poll_events => Finding::ok(AREA, "events", "asked for by polling"),
        Ok(endpoints) => endpoint(configuration, &endpoints),
        Err(error) => refused(&error),
    };
    vec![account, endpoint]
}

fn unusable(error: impl ToString) -> Finding {
    Finding::wrong(
        AREA,
        "key",
        error,
        "take a secret key (sk_test_… or sk_live_…) from Stripe's dashboard",
    )
}

fn refused(error: &PaymentError) -> Finding {
    let mend = match error {
        PaymentError::Unauthorized { .. } => {
            "check STRIPE_SECRET_KEY; a restricted key needs Checkout, Billing and webhook rights"
        }
        PaymentError::Unreachable { .. } | PaymentError::Timeout => {
            "check the network, and TENANTRY_STRIPE_API_BASE where the stand-in is used"
        }
        _ => "try again; status.stripe.com tells of outages",
    };
    Finding::wrong(AREA, "key", error, mend)
}

fn endpoint(configuration: &Configuration, endpoints: &[WebhookEndpoint]) -> Finding {
    let wanted = format!(
        "{}/webhooks/stripe",
        configuration.public_url.as_str().trim_end_matches('/')
    );
    let apply = "run `tenantry catalog apply FILE`, which registers it";
    let Some(found) = endpoints.iter().find(|endpoint| endpoint.url == wanted) else {
        return Finding::wrong(AREA, "webhook endpoint", format!("none for {wanted}"), apply);
    };
    if !found.enabled {
        return Finding::wrong(AREA, "webhook endpoint", format!("{} is switched off", found.id), apply);
    }
    if found.api_version.as_deref() != Some(API_VERSION) {
        let speaks = found.api_version.as_deref().unwrap_or("the account's own version");
        let detail = format!("{} sends events of {speaks}, and {API_VERSION} is understood", found.id);
        return Finding::wrong(AREA, "webhook endpoint", detail, apply);
    }
    let missing: Vec<&str> = HANDLED_EVENTS
        .iter()
        .copied()
        .filter(|event| !found.events.iter().any(|listed| listed == event || listed == "*"))
        .collect();
    if missing.is_empty() {
        Finding::ok(
            AREA,
            "webhook endpoint",
            format!("{} sends every event that is used to {wanted}", found.id),
        )
    } else {
        Finding::wrong(
            AREA,
            "webhook endpoint",
            format!("does not send {}", missing.join(", ")),
            apply,
        )
    }
}
