//! Products, plan versions and prices.

use serde_json::Value;
use sqlx::types::Json;
use tenantry_domain::{
    billing::catalog::{CatalogLedger, Interval, LedgerPlanVersion, LedgerPrice, LedgerProduct, PlanTerms, Product},
    ids::{PlanVersionId, PriceId},
    money::Money,
};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

#[derive(sqlx::FromRow)]
struct ProductRow {
    definition: Json<Product>,
    is_retired: bool,
    stripe_product_id: Option<String>,
}

#[derive(sqlx::FromRow)]
struct PlanVersionRow {
    id: Uuid,
    product: String,
    plan: String,
    version: i32,
    definition: Json<PlanTerms>,
    subscribers: i64,
}

#[derive(sqlx::FromRow)]
struct PriceRow {
    id: Uuid,
    plan_version_id: Uuid,
    recurrence: String,
    currency: String,
    amount_minor: i64,
    lookup_key: String,
    stripe_price_id: Option<String>,
    subscribers: i64,
}

/// The catalog as it was applied last.
///
/// # Errors
/// The database, or a definition that this release cannot read.
pub async fn load(tx: &mut SystemTx) -> Result<CatalogLedger, DatabaseError> {
    let products: Vec<ProductRow> = sqlx::query_as(
        "select definition, retired_at is not null as is_retired, stripe_product_id from products order by key",
    )
    .fetch_all(&mut *tx)
    .await?;
    let plan_versions: Vec<PlanVersionRow> = sqlx::query_as(
        "select v.id, v.product, v.plan, v.version, v.definition, ( \
             select count(*) from subscriptions s join plan_versions had on had.id = s.plan_version_id \
             where s.ended_at is null and had.product = v.product and had.plan = v.plan) as subscribers \
         from plan_versions v where v.retired_at is null order by v.product, v.plan",
    )
    .fetch_all(&mut *tx)
    .await?;
    let prices: Vec<PriceRow> = sqlx::query_as(
        "select p.id, p.plan_version_id, p.recurrence, p.currency, p.amount_minor, p.lookup_key, p.stripe_price_id, ( \
             select count(*) from subscriptions s where s.price_id = p.id and s.ended_at is null) as subscribers \
         from prices p where p.retired_at is null order by p.lookup_key",
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(CatalogLedger {
        products: products
            .into_iter()
            .map(|row| LedgerProduct {
                definition: row.definition.0,
                is_retired: row.is_retired,
                provider_id: row.stripe_product_id,
            })
            .collect(),
        plan_versions: plan_versions
            .into_iter()
            .map(|row| LedgerPlanVersion {
                id: PlanVersionId::from_uuid(row.id),
                product: row.product,
                plan: row.plan,
                version: row.version,
                terms: row.definition.0,
                subscribers: row.subscribers,
            })
            .collect(),
        // The constraints of the table leave no other currency or interval.
        prices: prices.into_iter().filter_map(PriceRow::into_price).collect(),
    })
}

impl PriceRow {
    fn into_price(self) -> Option<LedgerPrice> {
        Some(LedgerPrice {
            id: PriceId::from_uuid(self.id),
            plan_version: PlanVersionId::from_uuid(self.plan_version_id),
            amount: Money {
                amount_minor: self.amount_minor,
                currency: self.currency.parse().ok()?,
            },
            interval: Interval::from_text(&self.recurrence)?,
            lookup_key: self.lookup_key,
            provider_id: self.stripe_price_id,
            subscribers: self.subscribers,
        })
    }
}

/// Adds a product, or gives it another definition and puts it on sale again.
///
/// # Errors
/// The database.
pub async fn put_product(tx: &mut SystemTx, product: &Product) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into products (key, delivery, definition) values ($1, $2, $3) \
         on conflict (key) do update set definition = excluded.definition, retired_at = null",
    )
    .bind(&product.key)
    .bind(product.delivery.as_str())
    .bind(Json(product))
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Takes a product off sale.
///
/// # Errors
/// The database.
pub async fn retire_product(tx: &mut SystemTx, product: &str) -> Result<(), DatabaseError> {
    sqlx::query("update products set retired_at = now() where key = $1 and retired_at is null")
        .bind(product)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Notes what the provider calls a product.
///
/// # Errors
/// The database.
pub async fn set_provider_product(tx: &mut SystemTx, product: &str, provider_id: &str) -> Result<(), DatabaseError> {
    sqlx::query("update products set stripe_product_id = $2 where key = $1")
        .bind(product)
        .bind(provider_id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Adds the next version of a plan and takes the one before off sale.
///
/// # Errors
/// The database.
pub async fn add_plan_version(
    tx: &mut SystemTx,
    id: PlanVersionId,
    product: &str,
    plan: &str,
    terms: &PlanTerms,
) -> Result<(), DatabaseError> {
    retire_plan(tx, product, plan).await?;
    sqlx::query(
        "insert into plan_versions (id, product, plan, version, definition) \
         select $1, $2, $3, coalesce(max(version), 0) + 1, $4 from plan_versions where product = $2 and plan = $3",
    )
    .bind(id.uuid())
    .bind(product)
    .bind(plan)
    .bind(Json(terms))
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Takes the current version of a plan off sale.
///
/// # Errors
/// The database.
pub async fn retire_plan(tx: &mut SystemTx, product: &str, plan: &str) -> Result<(), DatabaseError> {
    sqlx::query("update plan_versions set retired_at = now() where product = $1 and plan = $2 and retired_at is null")
        .bind(product)
        .bind(plan)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Gives all live subscriptions of a plan its current version. They go on paying what they pay.
///
/// # Errors
/// The database.
pub async fn move_subscribers(tx: &mut SystemTx, product: &str, plan: &str) -> Result<u64, DatabaseError> {
    let moved = sqlx::query(
        "with current as ( \
             select id, definition -> 'limits' as limits from plan_versions \
             where product = $1 and plan = $2 and retired_at is null), \
         moved as ( \
             update subscriptions s set plan_version_id = current.id from current, plan_versions had \
             where s.ended_at is null and had.id = s.plan_version_id and had.product = $1 and had.plan = $2 \
                 and had.id <> current.id \
             returning s.id), \
         entitled as ( \
             update entitlements e set limits = current.limits, updated_at = now() from current, moved \
             where e.subscription_id = moved.id), \
         wanted as ( \
             update tenants t set plan_version_wanted = current.id from current, moved \
             where t.subscription_id = moved.id and t.state <> 'deleted') \
         select id from moved",
    )
    .bind(product)
    .bind(plan)
    .execute(&mut *tx)
    .await?;
    Ok(moved.rows_affected())
}

/// Adds a price to a plan's current version.
///
/// # Errors
/// The database.
pub async fn add_price(
    tx: &mut SystemTx,
    id: PriceId,
    product: &str,
    plan: &str,
    lookup_key: &str,
    amount: Money,
    interval: Interval,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key) \
         select $1, id, $4, $5, $6, $7 from plan_versions where product = $2 and plan = $3 and retired_at is null",
    )
    .bind(id.uuid())
    .bind(product)
    .bind(plan)
    .bind(interval.as_str())
    .bind(amount.currency.code())
    .bind(amount.amount_minor)
    .bind(lookup_key)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Takes a price off sale.
///
/// # Errors
/// The database.
pub async fn retire_price(tx: &mut SystemTx, price: PriceId) -> Result<(), DatabaseError> {
    sqlx::query("update prices set retired_at = now() where id = $1 and retired_at is null")
        .bind(price.uuid())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The price on sale under this key.
///
/// # Errors
/// The database.
pub async fn find_current_price(tx: &mut SystemTx, lookup_key: &str) -> Result<Option<PriceId>, DatabaseError> {
    let found: Option<Uuid> = sqlx::query_scalar("select id from prices where lookup_key = $1 and retired_at is null")
        .bind(lookup_key)
        .fetch_optional(&mut *tx)
        .await?;
    Ok(found.map(PriceId::from_uuid))
}

/// Notes what the provider calls a price.
///
/// # Errors
/// The database.
pub async fn set_provider_price(tx: &mut SystemTx, price: PriceId, provider_id: &str) -> Result<(), DatabaseError> {
    sqlx::query("update prices set stripe_price_id = $2 where id = $1")
        .bind(price.uuid())
        .bind(provider_id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Keeps the document that was applied, and tells every server to read the catalog again.
///
/// # Errors
/// The database.
pub async fn add_revision(
    tx: &mut SystemTx,
    sha256: &[u8],
    document: &str,
    applied_by: &str,
) -> Result<(), DatabaseError> {
    sqlx::query("insert into catalog_revisions (sha256, document, applied_by) values ($1, $2, $3)")
        .bind(sha256)
        .bind(document)
        .bind(applied_by)
        .execute(&mut *tx)
        .await?;
    announce(tx).await
}

/// Tells every server to read the catalog and what belongs to it again, once the transaction commits.
///
/// # Errors
/// The database.
pub async fn announce(tx: &mut SystemTx) -> Result<(), DatabaseError> {
    sqlx::query("select pg_notify('catalog_changed', '')")
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// A price with everything that a purchase or a settlement needs to know about it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PricedPlanRow {
    /// The price.
    pub price_id: Uuid,
    /// Which version of the plan is bought by it.
    pub plan_version_id: Uuid,
    /// The product's key.
    pub product: String,
    /// How the product is delivered.
    pub delivery: String,
    /// The plan's key.
    pub plan: String,
    /// What the version promises.
    pub definition: Value,
    /// Smallest units of the currency.
    pub amount_minor: i64,
    /// Three letters.
    pub currency: String,
    /// `month` or `year`.
    pub recurrence: String,
    /// The provider's identifier, once it is there.
    pub stripe_price_id: Option<String>,
}

/// The price on sale under this key, of a product on sale.
///
/// # Errors
/// The database.
pub async fn find_price_on_sale(tx: &mut SystemTx, lookup_key: &str) -> Result<Option<PricedPlanRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select p.id as price_id, v.id as plan_version_id, v.product, d.delivery, v.plan, v.definition, \
             p.amount_minor, p.currency, p.recurrence, p.stripe_price_id \
         from prices p join plan_versions v on v.id = p.plan_version_id join products d on d.key = v.product \
         where p.lookup_key = $1 and p.retired_at is null and d.retired_at is null",
    )
    .bind(lookup_key)
    .fetch_optional(&mut *tx)
    .await?)
}

/// The price that the provider calls so, also one that is no longer sold.
///
/// # Errors
/// The database.
pub async fn find_provider_price(
    tx: &mut SystemTx,
    stripe_price_id: &str,
) -> Result<Option<PricedPlanRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select p.id as price_id, v.id as plan_version_id, v.product, d.delivery, v.plan, v.definition, \
             p.amount_minor, p.currency, p.recurrence, p.stripe_price_id \
         from prices p join plan_versions v on v.id = p.plan_version_id join products d on d.key = v.product \
         where p.stripe_price_id = $1",
    )
    .bind(stripe_price_id)
    .fetch_optional(&mut *tx)
    .await?)
}

/// What a price says to people, whether it is sold or not.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PriceLabel {
    /// The price.
    pub id: Uuid,
    /// The plan's key.
    pub plan: String,
    /// Smallest units of the currency.
    pub amount_minor: i64,
    /// Three letters.
    pub currency: String,
    /// `month` or `year`.
    pub recurrence: String,
}

/// What these prices say.
///
/// # Errors
/// The database.
pub async fn price_labels(tx: &mut SystemTx, prices: &[Uuid]) -> Result<Vec<PriceLabel>, DatabaseError> {
    Ok(sqlx::query_as(
        "select p.id, v.plan, p.amount_minor, p.currency, p.recurrence \
         from prices p join plan_versions v on v.id = p.plan_version_id where p.id = any($1)",
    )
    .bind(prices)
    .fetch_all(&mut *tx)
    .await?)
}

/// The plan's key of each of these versions.
///
/// # Errors
/// The database.
pub async fn plan_labels(tx: &mut SystemTx, plan_versions: &[Uuid]) -> Result<Vec<(Uuid, String)>, DatabaseError> {
    Ok(sqlx::query_as("select id, plan from plan_versions where id = any($1)")
        .bind(plan_versions)
        .fetch_all(&mut *tx)
        .await?)
}
