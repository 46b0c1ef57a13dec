//! Every customer's checkouts, as operators see them.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use tenantry_domain::{billing::checkout::CheckoutFailure, ids::CheckoutId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A checkout with what it was about.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SaleRow {
    /// Its identifier.
    pub id: Uuid,
    /// Who buys.
    pub organization_id: Uuid,
    /// That organization's name in addresses.
    pub organization_slug: String,
    /// That organization's name.
    pub organization_name: String,
    /// The tenant that it names.
    pub tenant_id: Option<Uuid>,
    /// What that tenant is called.
    pub tenant_name: Option<String>,
    /// The product's key.
    pub product: String,
    /// The product as its customers know it.
    pub product_name: String,
    /// The plan's key.
    pub plan: String,
    /// The plan as its customers know it.
    pub plan_name: String,
    /// The price's key.
    pub price: String,
    /// In the smallest unit.
    pub amount_minor: i64,
    /// Three letters.
    pub currency: String,
    /// `open`, `paid`, `expired` or `failed`.
    pub state: String,
    /// Why it failed.
    pub failure: Option<Json<CheckoutFailure>>,
    /// Whether a payment on it is to go back.
    pub refund_needed: bool,
    /// When a payment on it had gone back.
    pub refunded_at: Option<DateTime<Utc>>,
    /// The provider's page.
    pub stripe_session_id: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

/// Which checkouts.
#[derive(Debug, Clone, Copy, Default)]
pub struct SaleFilter<'a> {
    /// Only this one.
    pub id: Option<CheckoutId>,
    /// Only those in this state.
    pub state: Option<&'a str>,
    /// Only those whose payment is, or is not, to go back.
    pub refund_needed: Option<bool>,
}

/// Checkouts, newest first, after a cursor.
///
/// # Errors
/// The database.
pub async fn list(
    tx: &mut SystemTx,
    filter: SaleFilter<'_>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<SaleRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    Ok(sqlx::query_as(
        "select c.id, c.organization_id, coalesce(s.slug, '') as organization_slug, o.name as organization_name, \
             c.tenant_id, t.name as tenant_name, c.product, coalesce(r.definition ->> 'name', r.key) as product_name, \
             v.plan, coalesce(v.definition ->> 'name', v.plan) as plan_name, p.lookup_key as price, p.amount_minor, \
             p.currency, c.state, c.failure, c.refund_needed, c.refunded_at, c.stripe_session_id, c.created_at \
         from checkouts c join organizations o on o.id = c.organization_id join products r on r.key = c.product \
             join prices p on p.id = c.price_id join plan_versions v on v.id = p.plan_version_id \
             left join organization_slugs s on s.organization_id = o.id and s.is_current \
             left join tenants t on t.id = c.tenant_id \
         where ($1::uuid is null or c.id = $1) and ($2::text is null or c.state = $2) \
             and ($3::boolean is null or c.refund_needed = $3) \
             and ($4::timestamptz is null or (c.created_at, c.id) < ($4, $5)) \
         order by c.created_at desc, c.id desc limit $6",
    )
    .bind(filter.id.map(CheckoutId::uuid))
    .bind(filter.state)
    .bind(filter.refund_needed)
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// How many payments are to go back.
///
/// # Errors
/// The database.
pub async fn count_refunds(tx: &mut SystemTx) -> Result<i64, DatabaseError> {
    Ok(sqlx::query_scalar("select count(*) from checkouts where refund_needed")
        .fetch_one(&mut *tx)
        .await?)
}
