//! Attempts to buy.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, types::Json};
use tenantry_domain::{
    billing::checkout::{CheckoutFailure, CheckoutState},
    ids::{CheckoutId, OrganizationId, PriceId, TenantId, UserId},
};
use uuid::Uuid;

use crate::{DatabaseError, OrganizationTx, SystemTx};

/// A checkout to be written.
#[derive(Debug, Clone)]
pub struct NewCheckout<'a> {
    /// Its identifier.
    pub id: CheckoutId,
    /// Who buys.
    pub organization: OrganizationId,
    /// What.
    pub product: &'a str,
    /// At which price.
    pub price: PriceId,
    /// For which tenant.
    pub tenant: Option<TenantId>,
    /// Who pressed the button.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it may be paid.
    pub expires_at: DateTime<Utc>,
    /// The trace that follows it.
    pub trace_id: Option<&'a str>,
}

/// A checkout as the use cases need it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CheckoutRow {
    /// Its identifier.
    pub id: Uuid,
    /// Who buys.
    pub organization_id: Uuid,
    /// For which tenant.
    pub tenant_id: Option<Uuid>,
    /// `open`, `paid`, `expired` or `failed`.
    pub state: String,
    /// The provider's page.
    pub stripe_session_id: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Until when it may be paid.
    pub expires_at: DateTime<Utc>,
}

impl CheckoutRow {
    /// Whether it may still be paid.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == CheckoutState::Open.as_str()
    }
}

/// Writes an open checkout.
///
/// # Errors
/// The database; a purchase that has an open checkout already.
pub async fn insert(tx: &mut SystemTx, new: &NewCheckout<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into checkouts (id, organization_id, product, price_id, tenant_id, created_by, created_at, expires_at, \
             trace_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.id.uuid())
    .bind(new.organization.uuid())
    .bind(new.product)
    .bind(new.price.uuid())
    .bind(new.tenant.map(TenantId::uuid))
    .bind(new.created_by.map(UserId::uuid))
    .bind(new.created_at)
    .bind(new.expires_at)
    .bind(new.trace_id)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// One checkout that the scope sees.
///
/// # Errors
/// The database.
pub async fn find(tx: impl PgExecutor<'_>, id: CheckoutId) -> Result<Option<CheckoutRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, organization_id, tenant_id, state, stripe_session_id, created_at, expires_at from checkouts \
         where id = $1",
    )
    .persistent(false)
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?)
}

/// One checkout, locked until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock(tx: &mut SystemTx, id: CheckoutId) -> Result<Option<CheckoutRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, organization_id, tenant_id, state, stripe_session_id, created_at, expires_at from checkouts \
         where id = $1 for update",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *tx)
    .await?)
}

/// The checkouts of a tenant, but for one, that nobody has paid and whose page may not have run out at this time.
///
/// # Errors
/// The database.
pub async fn unpaid_of_tenant(
    tx: &mut SystemTx,
    tenant: TenantId,
    but: CheckoutId,
    at: DateTime<Utc>,
) -> Result<Vec<CheckoutId>, DatabaseError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from checkouts where tenant_id = $1 and id <> $2 and state <> 'paid' and expires_at > $3 order by id",
    )
    .bind(tenant.uuid())
    .bind(but.uuid())
    .bind(at)
    .fetch_all(&mut *tx)
    .await?;
    Ok(ids.into_iter().map(CheckoutId::from_uuid).collect())
}

/// The open checkout for a tenant of this product and name that has not been bought.
///
/// # Errors
/// The database.
pub async fn find_open_for_name(
    tx: &mut SystemTx,
    organization: OrganizationId,
    product: &str,
    name: &str,
) -> Result<Option<CheckoutRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select c.id, c.organization_id, c.tenant_id, c.state, c.stripe_session_id, c.created_at, c.expires_at \
         from checkouts c join tenants t on t.id = c.tenant_id \
         where c.organization_id = $1 and c.product = $2 and t.name = $3 and c.state = 'open'",
    )
    .bind(organization.uuid())
    .bind(product)
    .bind(name)
    .fetch_optional(&mut *tx)
    .await?)
}

/// Notes the payment page of an open checkout; false when the checkout is not open any more or has another page.
///
/// # Errors
/// The database.
pub async fn set_session(
    tx: &mut SystemTx,
    id: CheckoutId,
    session: &str,
    url: Option<&str>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<bool, DatabaseError> {
    let updated = sqlx::query(
        "update checkouts set stripe_session_id = $2, payment_url = coalesce($3, payment_url), \
             expires_at = coalesce($4, expires_at) \
         where id = $1 and state = 'open' and (stripe_session_id is null or stripe_session_id = $2)",
    )
    .bind(id.uuid())
    .bind(session)
    .bind(url)
    .bind(expires_at)
    .execute(&mut *tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Whether a payment page is one of ours.
///
/// # Errors
/// The database.
pub async fn has_session(tx: &mut SystemTx, session: &str) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from checkouts where stripe_session_id = $1)")
            .bind(session)
            .fetch_one(&mut *tx)
            .await?,
    )
}

/// Keeps the reserved host of a tenant that is only named for longer; false when the tenant is more or less than that by
/// now, or has lost its host. Both stay locked until the transaction ends.
///
/// # Errors
/// The database.
pub async fn extend_reservation(
    tx: &mut SystemTx,
    tenant: TenantId,
    until: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let extended = sqlx::query(
        "with named as (select id from tenants where id = $1 and state = 'pending' and subscription_id is null for update) \
         update domains d set reserved_until = $2 from named where d.tenant_id = named.id and d.reserved_until is not null",
    )
    .bind(tenant.uuid())
    .bind(until)
    .execute(&mut *tx)
    .await?;
    Ok(extended.rows_affected() > 0)
}

/// How many checkouts of an organization can be paid now.
///
/// # Errors
/// The database.
pub async fn count_open(
    tx: &mut SystemTx,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<i64, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select count(*) from checkouts where organization_id = $1 and state = 'open' and expires_at > $2",
    )
    .bind(organization.uuid())
    .bind(now)
    .fetch_one(&mut *tx)
    .await?)
}

/// The open checkouts of a tenant.
///
/// # Errors
/// The database.
pub async fn open_of_tenant(tx: &mut SystemTx, tenant: TenantId) -> Result<Vec<CheckoutId>, DatabaseError> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from checkouts where tenant_id = $1 and state = 'open' order by id")
            .bind(tenant.uuid())
            .fetch_all(&mut *tx)
            .await?;
    Ok(ids.into_iter().map(CheckoutId::from_uuid).collect())
}

/// Ends an open checkout that nobody has paid; one that has ended stays as it is.
///
/// # Errors
/// The database.
pub async fn end_open(
    tx: &mut SystemTx,
    id: CheckoutId,
    state: CheckoutState,
    failure: Option<&CheckoutFailure>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update checkouts set state = $2, failure = $3, settled_at = $4, payment_url = null \
         where id = $1 and state = 'open'",
    )
    .bind(id.uuid())
    .bind(state.as_str())
    .bind(failure.map(Json))
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Ends a checkout as a payment says. A flag for a refund is never taken back here, and what was bought stays bought.
///
/// # Errors
/// The database.
pub async fn settle(
    tx: &mut SystemTx,
    id: CheckoutId,
    state: CheckoutState,
    failure: Option<&CheckoutFailure>,
    refund_of: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update checkouts set state = $2, failure = $3, settled_at = $5, payment_url = null, \
             refund_of = case when refund_needed then refund_of else coalesce($4, refund_of) end, \
             refunded_at = case when $4 is null then refunded_at end, \
             refund_needed = refund_needed or $4 is not null \
         where id = $1 and (state <> 'paid' or $2 = 'paid')",
    )
    .bind(id.uuid())
    .bind(state.as_str())
    .bind(failure.map(Json))
    .bind(refund_of)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// What is known of a payment that is to go back.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RefundRow {
    /// Who paid.
    pub organization_id: Uuid,
    /// For which tenant.
    pub tenant_id: Option<Uuid>,
    /// Whether it is still to go back.
    pub refund_needed: bool,
    /// The provider's subscription that it was for.
    pub refund_of: Option<String>,
    /// When it had gone back.
    pub refunded_at: Option<DateTime<Utc>>,
}

/// A checkout as far as a refund goes, locked until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock_refund(tx: &mut SystemTx, id: CheckoutId) -> Result<Option<RefundRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select organization_id, tenant_id, refund_needed, refund_of, refunded_at from checkouts where id = $1 for update",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *tx)
    .await?)
}

/// Notes that the payment has gone back.
///
/// # Errors
/// The database.
pub async fn set_refunded(tx: &mut SystemTx, id: CheckoutId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update checkouts set refund_needed = false, refunded_at = $2 where id = $1 and refund_needed")
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The provider's subscriptions whose payment is to go back, of checkouts begun since then; in the order of their
/// identifiers, after this one.
///
/// # Errors
/// The database.
pub async fn refunds_to_compare(
    tx: &mut SystemTx,
    after: Option<&str>,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<String>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select distinct refund_of from checkouts \
         where refund_needed and refund_of is not null and created_at > $2 and ($1::text is null or refund_of > $1) \
         order by refund_of limit $3",
    )
    .bind(after)
    .bind(since)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Checkouts whose page was made and which are open; or whose payment is to go back or waits for its price to be mended,
/// and which were begun since then;
/// oldest first, after this one.
///
/// # Errors
/// The database.
pub async fn to_compare(
    tx: &mut SystemTx,
    after: Option<CheckoutId>,
    refunds_since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<CheckoutRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, organization_id, tenant_id, state, stripe_session_id, created_at, expires_at from checkouts \
         where (state = 'open' or (created_at > $2 \
                 and (refund_needed or (state = 'failed' and failure ->> 'code' = 'price_not_in_catalog')))) and stripe_session_id is not null \
             and ($1::uuid is null or id > $1) \
         order by id limit $3",
    )
    .bind(after.map(CheckoutId::uuid))
    .bind(refunds_since)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// A checkout as its buyer sees it, but for what its price says: the catalog is nobody's, so no organization's scope
/// shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CheckoutDetails {
    /// Its identifier.
    pub id: Uuid,
    /// `open`, `paid`, `expired` or `failed`.
    pub state: String,
    /// Where to pay.
    pub payment_url: Option<String>,
    /// The tenant that it names.
    pub tenant_id: Option<Uuid>,
    /// The tenant's address.
    pub host: Option<String>,
    /// The product's key.
    pub product: String,
    /// What is to be paid.
    pub price_id: Uuid,
    /// The newest operation on the tenant, once it is paid for.
    pub operation_id: Option<Uuid>,
    /// Whether it is paid for, and its tenant was given up before anything was done for it.
    pub is_given_up: bool,
    /// Why it failed.
    pub failure: Option<Json<CheckoutFailure>>,
    /// Whether a payment on it is to go back.
    pub refund_needed: bool,
    /// Until when it may be paid.
    pub expires_at: DateTime<Utc>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

/// One checkout of the organization.
///
/// # Errors
/// The database.
pub async fn find_details(tx: &mut OrganizationTx, id: CheckoutId) -> Result<Option<CheckoutDetails>, DatabaseError> {
    Ok(sqlx::query_as(
        "select c.id, c.state, c.payment_url, c.tenant_id, \
             (select d.host from domains d where d.tenant_id = c.tenant_id order by d.created_at limit 1) as host, \
             c.product, c.price_id, \
             (select o.id from operations o where o.tenant_id = c.tenant_id and c.state = 'paid' \
                 order by o.created_at desc limit 1) as operation_id, \
             c.state = 'paid' and exists (select from tenants t where t.id = c.tenant_id and t.state = 'deleted') \
                 and not exists (select from operations o where o.tenant_id = c.tenant_id) as is_given_up, \
             c.failure, c.refund_needed, c.expires_at, c.created_at \
         from checkouts c where c.id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *tx)
    .await?)
}
