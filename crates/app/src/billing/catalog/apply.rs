//! Makes ledger and payment provider be as a catalog file says. Doing it twice changes nothing the second time, and an
//! application that was cut short is finished by the next.

use sha2::{Digest, Sha256};
use tenantry_domain::{
    billing::{
        catalog::{CatalogChange, Existing, Interval, ProviderState, provider_lookup_key, provider_product_id},
        provider::{HANDLED_EVENTS, PriceRequest, ProductRequest, References, WebhookEndpointRequest},
    },
    ids::{PlanVersionId, PriceId},
    money::Money,
};
use tenantry_postgres::{DatabaseError, SystemTx, billing::catalog as table};
use uuid::Uuid;

use super::{
    super::{
        BillingFault,
        calls::{self, Intent, Write},
        webhook_secrets,
    },
    ApplyError, CatalogError, CatalogPlan, Webhook, plan,
};
use crate::{
    App,
    accounts::{self, ClientSecret},
    audit::{self, Act},
    error::Fault,
};

/// One application at a time, all servers together: two that do not know of each other would each make what is missing
/// at the provider.
const TURN: &str = "tenantry catalog";

/// Applies a catalog file and says what that changed.
///
/// # Errors
/// Everything that is wrong with the file, before anything is changed. When the provider or the ledger fail halfway,
/// what was done stays done, and applying again goes on from there; but for the secrets of clients, which come with the
/// error.
pub async fn apply(app: &App, document: &str, webhook: Webhook, actor: &str) -> Result<CatalogPlan, ApplyError> {
    let turn = app.database.take_turn(TURN).await.map_err(|error| match error {
        DatabaseError::Timeout(_) => CatalogError::UnderWay,
        other => other.into(),
    })?;
    let applied = apply_alone(app, document, webhook, actor).await;
    if let Err(error) = turn.end().await {
        // The lock is gone with its session, and what was done is done.
        tracing::warn!(%error, "the connection that kept others from applying a catalog broke");
    }
    applied
}

async fn apply_alone(app: &App, document: &str, webhook: Webhook, actor: &str) -> Result<CatalogPlan, ApplyError> {
    let (planned, provider) = plan::compare(app, document, webhook).await?;
    let (changes, client_secrets) = write_ledger(app, &planned, &provider, document, actor).await?;
    match follow_ledger(app, &changes).await {
        Ok(()) => Ok(CatalogPlan {
            catalog: planned.catalog,
            changes,
            client_secrets,
        }),
        Err(error) => Err(ApplyError { error, client_secrets }),
    }
}

/// The provider's part, and this server's memory. Whatever of it succeeds, everybody is told.
async fn follow_ledger(app: &App, changes: &[CatalogChange]) -> Result<(), CatalogError> {
    let followed = provider_changes(app, changes).await;
    if !changes.is_empty() {
        let mut tx = app
            .database
            .system("tell every server what the payment provider has by now")
            .await?;
        table::announce(&mut tx).await?;
        tx.commit().await?;
    }
    app.catalog.reload(&app.database).await?;
    webhook_secrets::load(app).await?;
    Ok(followed?)
}

async fn provider_changes(app: &App, changes: &[CatalogChange]) -> Result<(), BillingFault> {
    let run = Run {
        app,
        id: Uuid::now_v7(),
    };
    for change in changes {
        run.provider_change(change).await?;
    }
    Ok(())
}

/// The ledger's part, in one transaction, planned anew from what it holds now: subscribers come and go meanwhile.
async fn write_ledger(
    app: &App,
    planned: &CatalogPlan,
    provider: &ProviderState,
    document: &str,
    actor: &str,
) -> Result<(Vec<CatalogChange>, Vec<ClientSecret>), CatalogError> {
    let mut tx = app.database.system("apply a catalog").await?;
    let ledger = table::load(&mut tx).await?;
    let changes = plan::changes(app, &ledger, provider, &planned.catalog)?;
    let mut client_secrets = Vec::new();
    if changes.is_empty() {
        return Ok((changes, client_secrets));
    }
    for change in &changes {
        ledger_change(&mut tx, change).await?;
        client_secrets.extend(client_change(&mut tx, change).await?);
    }
    let digest = Sha256::digest(document);
    table::add_revision(&mut tx, &digest, document, actor).await?;
    let words: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let body = serde_json::json!({ "sha256": hex::encode(digest), "changes": words });
    audit::record(app, &mut tx, Act::new("catalog.applied", actor).body(body)).await?;
    // From here on no server sells what is retired, however long the provider takes.
    table::announce(&mut tx).await?;
    tx.commit().await?;
    Ok((changes, client_secrets))
}

/// Whoever signs in to a product does so as its definition says; the secret of a client that is new, once.
async fn client_change(tx: &mut SystemTx, change: &CatalogChange) -> Result<Option<ClientSecret>, Fault> {
    match change {
        CatalogChange::AddProduct { product } | CatalogChange::UpdateProduct { product, .. } => {
            accounts::register_client(tx, product).await
        }
        CatalogChange::RetireProduct { product } => {
            accounts::retire_client(tx, product).await?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

async fn ledger_change(tx: &mut SystemTx, change: &CatalogChange) -> Result<(), DatabaseError> {
    match change {
        CatalogChange::AddProduct { product } | CatalogChange::UpdateProduct { product, .. } => {
            table::put_product(tx, product).await
        }
        CatalogChange::RetireProduct { product } => table::retire_product(tx, product).await,
        CatalogChange::AddPlan { product, plan, terms } => {
            table::add_plan_version(tx, PlanVersionId::from_uuid(Uuid::now_v7()), product, plan, terms).await
        }
        CatalogChange::ChangePlan {
            product,
            plan,
            terms,
            existing,
            ..
        } => {
            table::add_plan_version(tx, PlanVersionId::from_uuid(Uuid::now_v7()), product, plan, terms).await?;
            if *existing == Existing::Move {
                table::move_subscribers(tx, product, plan).await?;
            }
            Ok(())
        }
        CatalogChange::RetirePlan { product, plan, .. } => table::retire_plan(tx, product, plan).await,
        CatalogChange::AddPrice {
            product,
            plan,
            lookup_key,
            amount,
            interval,
        } => {
            let id = PriceId::from_uuid(Uuid::now_v7());
            table::add_price(tx, id, product, plan, lookup_key, *amount, *interval).await
        }
        CatalogChange::RetirePrice { price, .. } => table::retire_price(tx, *price).await,
        CatalogChange::SyncProviderProduct { .. }
        | CatalogChange::SyncProviderPrice { .. }
        | CatalogChange::SyncWebhook { .. } => Ok(()),
    }
}

/// One application of a catalog at the provider. Its writes are intents of their own: what an earlier run did says
/// nothing about what has to be done now.
struct Run<'a> {
    app: &'a App,
    id: Uuid,
}

impl Run<'_> {
    fn references(&self) -> References {
        References {
            installation: Some(self.app.settings.installation),
            ..References::default()
        }
    }

    async fn write(&self, what: &str, purpose: &'static str, write: Write) -> Result<calls::Written, BillingFault> {
        let key = format!("catalog:{}:{what}", self.id.simple());
        calls::perform(
            self.app,
            &Intent {
                key,
                purpose,
                subject: None,
                write: &write,
            },
        )
        .await
    }

    async fn provider_change(&self, change: &CatalogChange) -> Result<(), BillingFault> {
        match change {
            CatalogChange::SyncProviderProduct {
                product,
                provider_id,
                name,
                description,
                ..
            } => {
                let request = ProductRequest {
                    id: provider_id.clone(),
                    name: name.clone(),
                    description: description.clone(),
                    references: self.references(),
                };
                self.write(
                    &format!("product:{product}"),
                    "put a product on sale",
                    Write::Product(request),
                )
                .await?;
                let mut tx = self
                    .app
                    .database
                    .system("note a product at the payment provider")
                    .await?;
                table::set_provider_product(&mut tx, product, provider_id).await?;
                Ok(tx.commit().await?)
            }
            CatalogChange::SyncProviderPrice {
                lookup_key,
                amount,
                interval,
                adopts,
            } => {
                let id = match adopts {
                    Some(id) => id.clone(),
                    None => self.create_price(lookup_key, *amount, *interval).await?,
                };
                let mut tx = self.app.database.system("note a price at the payment provider").await?;
                if let Some(price) = table::find_current_price(&mut tx, lookup_key).await? {
                    table::set_provider_price(&mut tx, price, &id).await?;
                }
                Ok(tx.commit().await?)
            }
            CatalogChange::RetirePrice {
                provider_id: Some(price),
                ..
            } => {
                let write = Write::RetirePrice { price: price.clone() };
                self.write(&format!("retire:{price}"), "take a price off sale", write)
                    .await?;
                Ok(())
            }
            CatalogChange::SyncWebhook { url, endpoint, .. } => self.webhook(url, endpoint.as_deref()).await,
            _ => Ok(()),
        }
    }

    async fn create_price(&self, lookup_key: &str, amount: Money, interval: Interval) -> Result<String, BillingFault> {
        let mut tx = self.app.database.read_system("find the product of a price").await?;
        let product = table::find_price_on_sale(&mut tx, lookup_key)
            .await?
            .ok_or(DatabaseError::NotFound)?
            .product;
        tx.commit().await?;
        let installation = self.app.settings.installation;
        let request = PriceRequest {
            product: provider_product_id(installation, &product),
            lookup_key: provider_lookup_key(installation, lookup_key),
            amount,
            interval,
            nickname: lookup_key.to_owned(),
            references: self.references(),
        };
        let written = self
            .write(
                &format!("price:{lookup_key}"),
                "put a price on sale",
                Write::Price(request),
            )
            .await?;
        Ok(written.id)
    }

    async fn webhook(&self, url: &str, endpoint: Option<&str>) -> Result<(), BillingFault> {
        let request = WebhookEndpointRequest {
            url: url.to_owned(),
            events: HANDLED_EVENTS.iter().map(ToString::to_string).collect(),
            references: self.references(),
        };
        if let Some(endpoint) = endpoint {
            let write = Write::UpdateWebhookEndpoint {
                endpoint: endpoint.to_owned(),
                request,
            };
            self.write("webhook", "bring a webhook endpoint up to date", write)
                .await?;
            return Ok(());
        }
        let written = self
            .write("webhook", "have events sent here", Write::WebhookEndpoint(request))
            .await?;
        let Some(secret) = &written.secret else { return Ok(()) };
        let mut tx = self
            .app
            .database
            .system("keep the signing secret of a webhook endpoint")
            .await?;
        webhook_secrets::keep(&mut tx, self.app, &written.id, secret).await?;
        // Before the endpoint that it replaces is gone: no server refuses what is signed with the new one.
        table::announce(&mut tx).await?;
        tx.commit().await?;
        self.remove_other_endpoints(url, &written.id).await
    }

    /// Those of ours that the new one replaces. Their secrets are forgotten with them.
    async fn remove_other_endpoints(&self, url: &str, new: &str) -> Result<(), BillingFault> {
        let mut remaining = Vec::new();
        for endpoint in self.app.payments.list_webhook_endpoints().await? {
            let is_ours = endpoint.references.installation == Some(self.app.settings.installation);
            if is_ours && endpoint.url == url && endpoint.id != new {
                let what = format!("webhook:remove:{}", endpoint.id);
                let write = Write::DeleteWebhookEndpoint { endpoint: endpoint.id };
                self.write(&what, "remove a webhook endpoint that was replaced", write)
                    .await?;
            } else {
                remaining.push(endpoint.id);
            }
        }
        let mut tx = self
            .app
            .database
            .system("forget the signing secrets of removed endpoints")
            .await?;
        webhook_secrets::forget_others(&mut tx, self.app, &remaining)
            .await
            .map_err(BillingFault::from)?;
        Ok(tx.commit().await?)
    }
}
