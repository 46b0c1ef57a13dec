//! What applying a catalog file would change.

use tenantry_domain::billing::{
    PaymentError,
    catalog::{
        self, Catalog, CatalogChange, CatalogLedger, ProviderState, WebhookTarget, provider_lookup_key,
        provider_product_id,
    },
};
use tenantry_postgres::billing::catalog as table;

use super::{super::webhook_secrets, CatalogError};
use crate::{App, accounts::ClientSecret};

/// Whether the provider is told to send its events here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    /// To the public address of this installation.
    Here,
    /// The endpoints stay as they are: events are asked for, or the endpoint is kept by hand.
    LeaveAlone,
}

/// A catalog file, and what applying it would change.
#[derive(Debug)]
pub struct CatalogPlan {
    /// The file.
    pub catalog: Catalog,
    /// The changes, in the order in which they are made; empty when everything is as the file says.
    pub changes: Vec<CatalogChange>,
    /// Secrets of clients that applying it made: nobody can read them again.
    pub client_secrets: Vec<ClientSecret>,
}

/// Compares a file with the ledger and the payment provider. Changes nothing.
///
/// # Errors
/// Everything that is wrong with the file; a provider or ledger that does not answer.
pub async fn plan(app: &App, document: &str, webhook: Webhook) -> Result<CatalogPlan, CatalogError> {
    Ok(compare(app, document, webhook).await?.0)
}

/// The same, with what the provider said.
pub(super) async fn compare(
    app: &App,
    document: &str,
    webhook: Webhook,
) -> Result<(CatalogPlan, ProviderState), CatalogError> {
    let catalog = catalog::load(document)?;
    let mut tx = app.database.read_system("read the catalog").await?;
    let ledger = table::load(&mut tx).await?;
    let known = webhook_secrets::known_endpoints(&mut tx, app).await?;
    tx.commit().await?;
    let provider = provider_state(app, &catalog, webhook, known).await?;
    let changes = changes(app, &ledger, &provider, &catalog)?;
    let plan = CatalogPlan {
        catalog,
        changes,
        client_secrets: Vec::new(),
    };
    Ok((plan, provider))
}

pub(super) fn changes(
    app: &App,
    ledger: &CatalogLedger,
    provider: &ProviderState,
    catalog: &Catalog,
) -> Result<Vec<CatalogChange>, CatalogError> {
    Ok(catalog::plan_changes(
        ledger,
        provider,
        app.settings.installation,
        catalog,
    )?)
}

/// Asks the provider for what concerns this catalog.
async fn provider_state(
    app: &App,
    catalog: &Catalog,
    webhook: Webhook,
    known_endpoints: Vec<String>,
) -> Result<ProviderState, PaymentError> {
    let installation = app.settings.installation;
    let mut state = ProviderState::default();
    let mut lookup_keys = Vec::new();
    for product in &catalog.products {
        let id = provider_product_id(installation, &product.key);
        state.products.extend(app.payments.find_product(&id).await?);
        for plan in &product.plans {
            let keys = plan
                .prices
                .iter()
                .map(|price| price.lookup_key(&product.key, &plan.key));
            lookup_keys.extend(keys.map(|key| provider_lookup_key(installation, &key)));
        }
    }
    if !lookup_keys.is_empty() {
        state.prices = app.payments.find_prices(&lookup_keys).await?;
    }
    if webhook == Webhook::Here {
        state.webhook_endpoints = app.payments.list_webhook_endpoints().await?;
        let is_there = |name: &String| state.webhook_endpoints.iter().any(|endpoint| endpoint.id == *name);
        state.webhook = Some(WebhookTarget {
            url: app.settings.link("/webhooks/stripe"),
            api_version: app.payments.api_version().to_owned(),
            known_endpoint: known_endpoints.into_iter().find(is_there),
        });
    }
    Ok(state)
}
