//! The provider's part of a catalog change.

use crate::{ids::InstallationId, money::Money};

use super::super::super::provider::{HANDLED_EVENTS, PriceObject, ProductObject, WebhookEndpoint};
use super::super::{Catalog, Price, Product};
use super::{CatalogChange, CatalogLedger, LedgerPrice};

/// What the provider has, as far as it concerns this installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderState {
    /// Products under identifiers of ours.
    pub products: Vec<ProductObject>,
    /// Active prices under lookup keys of ours.
    pub prices: Vec<PriceObject>,
    /// All webhook endpoints.
    pub webhook_endpoints: Vec<WebhookEndpoint>,
    /// Where events are to be sent; `None` where no webhook can reach us.
    pub webhook: Option<WebhookTarget>,
}

/// Where events are to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The address.
    pub url: String,
    /// The version of the API that events are to be written in.
    pub api_version: String,
    /// Whether the ledger holds the signing secret of this endpoint.
    pub known_endpoint: Option<String>,
}

/// What the provider calls a product of this installation. Several installations may share an account.
#[must_use]
pub fn provider_product_id(installation: InstallationId, product: &str) -> String {
    format!("{installation}_{product}")
}

/// The key that the provider finds a price of this installation by.
#[must_use]
pub fn provider_lookup_key(installation: InstallationId, lookup_key: &str) -> String {
    format!("{installation}_{lookup_key}")
}

pub(super) fn changes(
    ledger: &CatalogLedger,
    provider: &ProviderState,
    installation: InstallationId,
    catalog: &Catalog,
    changes: &mut Vec<CatalogChange>,
) {
    for product in catalog
        .products
        .iter()
        .filter(|product| product.plans.iter().any(|plan| !plan.prices.is_empty()))
    {
        product_change(provider, installation, product, changes);
        for plan in &product.plans {
            for price in &plan.prices {
                let lookup_key = price.lookup_key(&product.key, &plan.key);
                price_change(ledger, provider, installation, product, &lookup_key, price, changes);
            }
        }
    }
    if let Some(target) = &provider.webhook {
        webhook_change(provider, target, installation, changes);
    }
}

fn product_change(
    provider: &ProviderState,
    installation: InstallationId,
    product: &Product,
    changes: &mut Vec<CatalogChange>,
) {
    let id = provider_product_id(installation, &product.key);
    let description = Some(product.description.clone()).filter(|text| !text.is_empty());
    let existing = provider.products.iter().find(|object| object.id == id);
    let same = existing
        .is_some_and(|object| object.active && object.name == product.name && object.description == description);
    if !same {
        changes.push(CatalogChange::SyncProviderProduct {
            product: product.key.clone(),
            provider_id: id,
            name: product.name.clone(),
            description,
            exists: existing.is_some(),
        });
    }
}

fn price_change(
    ledger: &CatalogLedger,
    provider: &ProviderState,
    installation: InstallationId,
    product: &Product,
    lookup_key: &str,
    price: &Price,
    changes: &mut Vec<CatalogChange>,
) {
    // Changes of the ledger come first in the list: a price that is added there has no object at the provider yet.
    let is_new = changes.iter().any(|change| match change {
        CatalogChange::AddPrice { lookup_key: added, .. } => added == lookup_key,
        _ => false,
    });
    let known = ledger
        .prices
        .iter()
        .find(|known| known.lookup_key == lookup_key)
        .filter(|_| !is_new);
    let full_key = provider_lookup_key(installation, lookup_key);
    let product_id = provider_product_id(installation, &product.key);
    let object = provider.prices.iter().find(|object| {
        object.lookup_key.as_deref() == Some(full_key.as_str())
            && object.active
            && object.product.as_deref() == Some(product_id.as_str())
            && object.interval == Some(price.interval)
            && amount_of(object) == Some(price.amount())
    });
    let in_step = match (known, object) {
        (
            Some(LedgerPrice {
                provider_id: Some(id), ..
            }),
            Some(object),
        ) => *id == object.id,
        _ => false,
    };
    if in_step {
        return;
    }
    // An object may be taken over only if no other price of the ledger, sold or retired, means that object.
    let adopts = object
        .filter(|object| {
            !is_new
                && !ledger
                    .prices
                    .iter()
                    .any(|price| price.provider_id.as_ref() == Some(&object.id))
        })
        .map(|object| object.id.clone());
    changes.push(CatalogChange::SyncProviderPrice {
        lookup_key: lookup_key.to_owned(),
        amount: price.amount(),
        interval: price.interval,
        adopts,
    });
}

fn amount_of(object: &PriceObject) -> Option<Money> {
    Some(Money {
        amount_minor: object.amount_minor?,
        currency: object.currency?,
    })
}

fn webhook_change(
    provider: &ProviderState,
    target: &WebhookTarget,
    installation: InstallationId,
    changes: &mut Vec<CatalogChange>,
) {
    let ours = provider.webhook_endpoints.iter().find(|endpoint| {
        target.known_endpoint.as_ref() == Some(&endpoint.id)
            || (endpoint.url == target.url && endpoint.references.installation == Some(installation))
    });
    let (endpoint, reason) = match ours {
        None => (None, "no endpoint sends events here"),
        Some(endpoint) if target.known_endpoint.as_ref() != Some(&endpoint.id) => (
            None,
            "the signing secret of the endpoint is not known here, so a new one replaces it",
        ),
        Some(endpoint) if endpoint.api_version.as_deref() != Some(target.api_version.as_str()) => (
            None,
            "the endpoint speaks another version of the API, so a new one replaces it",
        ),
        Some(endpoint) if endpoint.url != target.url => (Some(endpoint.id.clone()), "the address differs"),
        Some(endpoint) if !endpoint.enabled => (Some(endpoint.id.clone()), "the endpoint is switched off"),
        Some(endpoint) if !same_events(&endpoint.events) => (Some(endpoint.id.clone()), "the list of events differs"),
        Some(_) => return,
    };
    changes.push(CatalogChange::SyncWebhook {
        url: target.url.clone(),
        endpoint,
        reason,
    });
}

fn same_events(events: &[String]) -> bool {
    events.len() == HANDLED_EVENTS.len()
        && HANDLED_EVENTS
            .iter()
            .all(|event| events.iter().any(|have| have == event))
}
