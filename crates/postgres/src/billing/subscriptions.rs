//! Contracts and what they give.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use tenantry_domain::{
    billing::{
        settle::{ContractState, NewContract},
        subscription::Entitlement,
    },
    ids::{PlanVersionId, PriceId, SubscriptionId, TenantId},
};
use uuid::Uuid;

use crate::{DatabaseError, OrganizationTx, SystemTx};

/// Writes a contract with its entitlement, and ties its checkout and its tenant to it. A free contract for the same
/// product ends with it.
///
/// # Errors
/// The database.
pub async fn open(
    tx: &mut SystemTx,
    id: SubscriptionId,
    new: &NewContract,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update subscriptions set status = 'canceled', ended_at = $3 \
         where organization_id = $1 and product = $2 and source = 'free' and ended_at is null",
    )
    .bind(new.organization.uuid())
    .bind(&new.product)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into subscriptions (id, organization_id, product, delivery, plan_version_id, price_id, source, status, \
             current_period_end, cancel_at_period_end, stripe_subscription_id, created_at, ended_at) \
         values ($1, $2, $3, $4, $5, $6, 'stripe', $7, $8, $9, $10, $11, $12)",
    )
    .bind(id.uuid())
    .bind(new.organization.uuid())
    .bind(&new.product)
    .bind(new.delivery.as_str())
    .bind(new.plan_version.uuid())
    .bind(new.price.uuid())
    .bind(new.state.status.as_str())
    .bind(new.state.current_period_end)
    .bind(new.state.cancel_at_period_end)
    .bind(&new.provider_id)
    .bind(now)
    .bind(new.state.ended_at)
    .execute(&mut *tx)
    .await?;
    set_entitlement(tx, id, &new.entitlement, now).await?;
    sqlx::query("update checkouts set subscription_id = $2 where id = $1")
        .bind(new.checkout.uuid())
        .bind(id.uuid())
        .execute(&mut *tx)
        .await?;
    sqlx::query("update tenants set subscription_id = $2, plan_version_wanted = $3 where id = $1")
        .bind(new.tenant.map(TenantId::uuid))
        .bind(id.uuid())
        .bind(new.plan_version.uuid())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Makes a contract and its tenants follow the provider.
///
/// # Errors
/// The database.
pub async fn update(
    tx: &mut SystemTx,
    id: SubscriptionId,
    price: Option<PriceId>,
    plan_version: PlanVersionId,
    state: &ContractState,
    entitlement: &Entitlement,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update subscriptions set price_id = $2, plan_version_id = $3, status = $4, current_period_end = $5, \
             cancel_at_period_end = $6, ended_at = $7 \
         where id = $1",
    )
    .bind(id.uuid())
    .bind(price.map(PriceId::uuid))
    .bind(plan_version.uuid())
    .bind(state.status.as_str())
    .bind(state.current_period_end)
    .bind(state.cancel_at_period_end)
    .bind(state.ended_at)
    .execute(&mut *tx)
    .await?;
    sqlx::query("update tenants set plan_version_wanted = $2 where subscription_id = $1 and plan_version_wanted <> $2")
        .bind(id.uuid())
        .bind(plan_version.uuid())
        .execute(&mut *tx)
        .await?;
    set_entitlement(tx, id, entitlement, now).await
}

async fn set_entitlement(
    tx: &mut SystemTx,
    id: SubscriptionId,
    entitlement: &Entitlement,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into entitlements (subscription_id, organization_id, access, limits, valid_until, updated_at) \
         select id, organization_id, $2, $3, $4, $5 from subscriptions where id = $1 \
         on conflict (subscription_id) do update set access = excluded.access, limits = excluded.limits, \
             valid_until = excluded.valid_until, updated_at = excluded.updated_at",
    )
    .bind(id.uuid())
    .bind(entitlement.access.as_str())
    .bind(Json(&entitlement.limits))
    .bind(entitlement.valid_until)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The provider's identifiers of contracts that have not ended, in order, after this one.
///
/// # Errors
/// The database.
pub async fn live_provider_ids(
    tx: &mut SystemTx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<String>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select stripe_subscription_id from subscriptions \
         where ended_at is null and source = 'stripe' and ($1::text is null or stripe_subscription_id > $1) \
         order by stripe_subscription_id limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// A contract as its owner sees it, but for what plan and price say: the catalog is nobody's, so no organization's scope
/// shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SubscriptionDetails {
    /// Its identifier.
    pub id: Uuid,
    /// The product's key.
    pub product: String,
    /// Which version of which plan.
    pub plan_version_id: Uuid,
    /// What is paid; a free contract has no price.
    pub price_id: Option<Uuid>,
    /// Where it stands.
    pub status: String,
    /// Until when it is paid for.
    pub current_period_end: Option<DateTime<Utc>>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// What it pays for.
    pub tenants: Vec<Uuid>,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// The organization's contracts, newest first, after a cursor.
///
/// # Errors
/// The database.
pub async fn list(
    tx: &mut OrganizationTx,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<SubscriptionDetails>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    Ok(sqlx::query_as(
        "select s.id, s.product, s.plan_version_id, s.price_id, s.status, s.current_period_end, \
             s.cancel_at_period_end, s.created_at, \
             array(select t.id from tenants t where t.subscription_id = s.id and t.state <> 'deleted' order by t.id) \
                 as tenants \
         from subscriptions s \
         where $1::timestamptz is null or (s.created_at, s.id) < ($1, $2) \
         order by s.created_at desc, s.id desc limit $3",
    )
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Whether a contract that has not ended pays for this tenant.
///
/// # Errors
/// The database.
pub async fn is_paid_for(tx: &mut SystemTx, tenant: TenantId) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select exists (select from tenants t join subscriptions s on s.id = t.subscription_id \
             where t.id = $1 and s.ended_at is null)",
    )
    .bind(tenant.uuid())
    .fetch_one(&mut *tx)
    .await?)
}

/// The provider's identifier of the live contract that pays for this tenant and for no other one that is wanted.
///
/// # Errors
/// The database.
pub async fn ending_with(tx: &mut SystemTx, tenant: TenantId) -> Result<Option<String>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select s.stripe_subscription_id from tenants t join subscriptions s on s.id = t.subscription_id \
         where t.id = $1 and s.ended_at is null and s.stripe_subscription_id is not null and not exists ( \
             select from tenants o where o.subscription_id = s.id and o.id <> t.id \
                 and o.desired <> 'deleted' and o.state <> 'deleted') \
         for update of s",
    )
    .bind(tenant.uuid())
    .fetch_optional(&mut *tx)
    .await?)
}

/// Who pays for a contract, as a mail to them says it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PayerRow {
    /// Whose contract.
    pub organization_name: String,
    /// That organization's name in addresses.
    pub organization_slug: String,
    /// Its owner's address.
    pub email: Option<String>,
    /// The product as its customers know it.
    pub product_name: String,
    /// The plan as its customers know it.
    pub plan_name: String,
    /// What the contract costs, in the smallest unit.
    pub amount_minor: Option<i64>,
    /// Three letters.
    pub currency: Option<String>,
}

/// Who pays for the contract with this identifier of the provider's.
///
/// # Errors
/// The database.
pub async fn find_payer(tx: &mut SystemTx, provider_id: &str) -> Result<Option<PayerRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select o.name as organization_name, coalesce(g.slug, '') as organization_slug, u.email_normalized as email, \
             coalesce(r.definition ->> 'name', r.key) as product_name, \
             coalesce(v.definition ->> 'name', v.plan) as plan_name, p.amount_minor, p.currency \
         from subscriptions s join organizations o on o.id = s.organization_id \
             join products r on r.key = s.product \
             join plan_versions v on v.id = s.plan_version_id left join prices p on p.id = s.price_id \
             left join organization_slugs g on g.organization_id = o.id and g.is_current \
             left join memberships m on m.organization_id = o.id and m.role = 'owner' \
             left join users u on u.id = m.user_id \
         where s.stripe_subscription_id = $1",
    )
    .bind(provider_id)
    .fetch_optional(&mut *tx)
    .await?)
}
