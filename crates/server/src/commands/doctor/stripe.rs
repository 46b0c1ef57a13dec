//! Key, mode, webhook endpoint, and whether what it sends is believed.

use tenantry_app::{
    billing::webhook_secrets,
    error::Fault,
    sealing::{MasterKeys, SealingError},
};
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
    if configuration.stripe_poll_events {
        return vec![account, Finding::ok(AREA, "events", "asked for by polling")];
    }
    let endpoints = match client.list_webhook_endpoints().await {
        Ok(endpoints) => endpoints,
        Err(error) => return vec![account, refused(&error)],
    };
    let url = format!(
        "{}/webhooks/stripe",
        configuration.public_url.as_str().trim_end_matches('/')
    );
    let of_ours: Vec<&WebhookEndpoint> = endpoints.iter().filter(|endpoint| endpoint.url == url).collect();
    let kept = kept_secrets(configuration).await;
    let mut findings = vec![account, endpoint(&url, &of_ours)];
    if !of_ours.is_empty() {
        findings.push(secret(&of_ours, configuration.stripe_webhook_secrets.len(), kept));
    }
    findings
}

/// What the ledger has of the signing secrets.
#[derive(Debug)]
enum Kept {
    /// The endpoints whose secrets are kept, and open.
    Endpoints(Vec<String>),
    /// One does not open.
    Locked(SealingError),
    /// The ledger does not answer, which its own check says.
    Unknown,
}

async fn kept_secrets(configuration: &Configuration) -> Kept {
    let keys = match MasterKeys::from_file(&configuration.master_key_file) {
        Ok(keys) => keys,
        Err(error) => return Kept::Locked(error),
    };
    let Ok(database) = wiring::database(configuration).await else {
        return Kept::Unknown;
    };
    match webhook_secrets::kept_endpoints(&database, &keys).await {
        Ok(endpoints) => Kept::Endpoints(endpoints),
        Err(Fault::Sealing(error)) => Kept::Locked(error),
        Err(_) => Kept::Unknown,
    }
}

/// Whether deliveries of one of these endpoints are believed.
fn secret(of_ours: &[&WebhookEndpoint], configured: usize, kept: Kept) -> Finding {
    let check = "webhook secret";
    let names = || {
        let ids: Vec<&str> = of_ours.iter().map(|endpoint| endpoint.id.as_str()).collect();
        ids.join(", ")
    };
    let endpoints = match kept {
        Kept::Endpoints(endpoints) => endpoints,
        Kept::Locked(error) => {
            let mend = "put the key back into TENANTRY_MASTER_KEY_FILE that sealed it";
            return Finding::wrong(AREA, check, error, mend);
        }
        Kept::Unknown if configured > 0 => Vec::new(),
        Kept::Unknown => {
            let mend = "mend the database first, then look again";
            return Finding::warning(AREA, check, "the ledger, which keeps it, does not answer", mend);
        }
    };
    if let Some(known) = of_ours.iter().find(|endpoint| endpoints.contains(&endpoint.id)) {
        return Finding::ok(
            AREA,
            check,
            format!("that of {} is kept in the ledger, sealed", known.id),
        );
    }
    if configured > 0 {
        let detail = format!(
            "{configured} in STRIPE_WEBHOOK_SECRETS; that one is of {} is known when its first event is believed",
            names()
        );
        return Finding::ok(AREA, check, detail);
    }
    Finding::wrong(
        AREA,
        check,
        format!("none is known for {}: what it sends is refused", names()),
        "run `tenantry catalog apply FILE`, which replaces the endpoint and keeps its secret, or set \
         STRIPE_WEBHOOK_SECRETS to the signing secret that Stripe's dashboard shows",
    )
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

fn endpoint(wanted: &str, of_ours: &[&WebhookEndpoint]) -> Finding {
    let apply = "run `tenantry catalog apply FILE`, which registers it";
    let Some(found) = of_ours
        .iter()
        .find(|endpoint| endpoint.enabled)
        .or_else(|| of_ours.first())
    else {
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

#[cfg(test)]
mod tests {
    use tenantry_domain::billing::provider::References;

    use super::{super::Verdict, *};

    const URL: &str = "https://console.example.com/webhooks/stripe";

    fn we(id: &str) -> WebhookEndpoint {
        WebhookEndpoint {
            id: id.to_owned(),
            url: URL.to_owned(),
            events: HANDLED_EVENTS.iter().map(ToString::to_string).collect(),
            api_version: Some(API_VERSION.to_owned()),
            enabled: true,
            references: References::default(),
        }
    }

    fn assert_wrong(finding: &Finding, detail: &str, mend: &str) {
        assert_eq!(finding.verdict, Verdict::Wrong, "{finding:?}");
        assert!(finding.detail.contains(detail), "{finding:?}");
        assert!(
            finding.mend.as_ref().is_some_and(|found| found.contains(mend)),
            "{finding:?}"
        );
    }

    #[test]
    fn an_endpoint_has_to_send_what_is_used_here() {
        let good = we("we_1");
        assert_eq!(endpoint(URL, &[&good]).verdict, Verdict::Ok);
        assert_wrong(&endpoint(URL, &[]), URL, "catalog apply");
        let off = WebhookEndpoint {
            enabled: false,
            ..we("we_off")
        };
        assert_wrong(&endpoint(URL, &[&off]), "switched off", "catalog apply");
        // One that was left behind does not hide the one that works.
        assert_eq!(endpoint(URL, &[&off, &good]).verdict, Verdict::Ok);
        let old = WebhookEndpoint {
            api_version: None,
            ..we("we_1")
        };
        assert_wrong(&endpoint(URL, &[&old]), API_VERSION, "catalog apply");
        let mut deaf = we("we_1");
        deaf.events.retain(|event| event != "invoice.paid");
        assert_wrong(&endpoint(URL, &[&deaf]), "invoice.paid", "catalog apply");
        deaf.events = vec!["*".to_owned()];
        assert_eq!(endpoint(URL, &[&deaf]).verdict, Verdict::Ok);
    }

    #[test]
    fn a_secret_has_to_be_known() {
        let ours = we("we_1");
        let kept = |ids: &[&str]| Kept::Endpoints(ids.iter().map(ToString::to_string).collect());
        assert_eq!(secret(&[&ours], 0, kept(&["we_1"])).verdict, Verdict::Ok);
        assert_eq!(secret(&[&ours], 1, kept(&[])).verdict, Verdict::Ok);
        assert_wrong(
            &secret(&[&ours], 0, kept(&["we_other"])),
            "we_1",
            "STRIPE_WEBHOOK_SECRETS",
        );
        let key_id = "k1".to_owned();
        let locked = Kept::Locked(SealingError::UnknownKey { key_id });
        assert_wrong(&secret(&[&ours], 1, locked), "k1", "TENANTRY_MASTER_KEY_FILE");
        // What is wrong with the database is said beside it.
        assert_eq!(secret(&[&ours], 0, Kept::Unknown).verdict, Verdict::Warning);
    }
}
