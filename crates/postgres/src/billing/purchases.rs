//! The rows that concern one purchase, gathered for a decision.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use tenantry_domain::{
    billing::{
        catalog::{Delivery, Limits, PlanTerms},
        checkout::CheckoutState,
        settle::{CheckoutFacts, ContractFacts, ContractState, PriceFacts, TenantFacts},
        subscription::{Access, Entitlement, SubscriptionStatus},
    },
    ids::{CheckoutId, OrganizationId, PlanVersionId, PriceId, SubscriptionId, TenantId},
    provisioning::{DesiredState, TenantState},
};
use uuid::Uuid;

use super::catalog;
use crate::{DatabaseError, SystemTx};

/// A column that holds a word which this release does not know.
fn unknown(what: &str, text: &str) -> DatabaseError {
    sqlx::Error::Decode(format!("{what} {text:?} is not known").into()).into()
}

#[derive(sqlx::FromRow)]
struct FoundCheckout {
    id: Uuid,
    organization_id: Uuid,
    product: String,
    tenant_id: Option<Uuid>,
    state: String,
    stripe_session_id: Option<String>,
    subscription_id: Option<Uuid>,
    refund_needed: bool,
    refund_of: Option<String>,
    failure: Option<String>,
}

/// A checkout and its tenant, both locked until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock_checkout(
    tx: &mut SystemTx,
    id: CheckoutId,
) -> Result<Option<(CheckoutFacts, Option<TenantFacts>)>, DatabaseError> {
    let found: Option<FoundCheckout> = sqlx::query_as(
        "select id, organization_id, product, tenant_id, state, stripe_session_id, subscription_id, refund_needed, \
             refund_of, failure ->> 'code' as failure \
         from checkouts where id = $1 for update",
    )
    .bind(id.uuid())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let tenant = match found.tenant_id {
        Some(tenant) => lock_tenants(tx, Some(tenant), None).await?.pop(),
        None => None,
    };
    let checkout = CheckoutFacts {
        id: CheckoutId::from_uuid(found.id),
        organization: OrganizationId::from_uuid(found.organization_id),
        product: found.product,
        state: CheckoutState::from_ledger(&found.state).ok_or_else(|| unknown("checkout state", &found.state))?,
        session: found.stripe_session_id,
        contract: found.subscription_id.map(SubscriptionId::from_uuid),
        refund_needed: found.refund_needed,
        refund_of: found.refund_of,
        failure: found.failure,
    };
    Ok(Some((checkout, tenant)))
}

#[derive(sqlx::FromRow)]
struct FoundTenant {
    id: Uuid,
    subscription_id: Option<Uuid>,
    state: String,
    desired: String,
    is_busy: bool,
    is_reserved: bool,
}

async fn lock_tenants(
    tx: &mut SystemTx,
    id: Option<Uuid>,
    contract: Option<Uuid>,
) -> Result<Vec<TenantFacts>, DatabaseError> {
    let found: Vec<FoundTenant> = sqlx::query_as(
        "select t.id, t.subscription_id, t.state, t.desired, exists ( \
             select from operations o where o.tenant_id = t.id and o.state not in ('done', 'undone')) as is_busy, \
             exists (select from domains d where d.tenant_id = t.id and d.reserved_until is not null) as is_reserved \
         from tenants t where t.id = $1 or t.subscription_id = $2 order by t.id for update of t",
    )
    .bind(id)
    .bind(contract)
    .fetch_all(&mut *tx)
    .await?;
    found
        .into_iter()
        .map(|row| {
            let state: TenantState = row.state.parse().map_err(|_| unknown("tenant state", &row.state))?;
            let desired: DesiredState = row
                .desired
                .parse()
                .map_err(|_| unknown("desired state", &row.desired))?;
            Ok(TenantFacts {
                id: TenantId::from_uuid(row.id),
                contract: row.subscription_id.map(SubscriptionId::from_uuid),
                is_pending: state == TenantState::Pending && !row.is_busy,
                is_reserved: row.is_reserved,
                is_gone: matches!(state, TenantState::Deleted | TenantState::Deprovisioning),
                desired,
            })
        })
        .collect()
}

#[derive(sqlx::FromRow)]
struct FoundContract {
    id: Uuid,
    product: String,
    plan_version_id: Uuid,
    price_id: Option<Uuid>,
    definition: Json<PlanTerms>,
    status: String,
    current_period_end: Option<DateTime<Utc>>,
    cancel_at_period_end: bool,
    ended_at: Option<DateTime<Utc>>,
    access: Option<String>,
    limits: Option<Json<Limits>>,
    valid_until: Option<DateTime<Utc>>,
}

/// The contract under the provider's identifier, with its tenants, all locked until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock_contract(
    tx: &mut SystemTx,
    stripe_subscription_id: &str,
) -> Result<Option<ContractFacts>, DatabaseError> {
    let found: Option<FoundContract> = sqlx::query_as(
        "select s.id, s.product, s.plan_version_id, s.price_id, v.definition, s.status, s.current_period_end, \
             s.cancel_at_period_end, s.ended_at, e.access, e.limits, e.valid_until \
         from subscriptions s join plan_versions v on v.id = s.plan_version_id \
             left join entitlements e on e.subscription_id = s.id \
         where s.stripe_subscription_id = $1 for update of s",
    )
    .bind(stripe_subscription_id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let access = found.access.as_deref().unwrap_or(Access::None.as_str());
    Ok(Some(ContractFacts {
        id: SubscriptionId::from_uuid(found.id),
        product: found.product,
        plan_version: PlanVersionId::from_uuid(found.plan_version_id),
        price: found.price_id.map(PriceId::from_uuid),
        limits: found.definition.0.limits,
        state: ContractState {
            status: SubscriptionStatus::from_text(&found.status)
                .ok_or_else(|| unknown("subscription status", &found.status))?,
            current_period_end: found.current_period_end,
            cancel_at_period_end: found.cancel_at_period_end,
            ended_at: found.ended_at,
        },
        entitlement: Entitlement {
            access: Access::from_text(access).ok_or_else(|| unknown("access", access))?,
            limits: found.limits.map(|limits| limits.0).unwrap_or_default(),
            valid_until: found.valid_until,
        },
        tenants: lock_tenants(tx, None, Some(found.id)).await?,
    }))
}

/// The price that the provider calls so.
///
/// # Errors
/// The database, or terms that this release cannot read.
pub async fn find_price(tx: &mut SystemTx, stripe_price_id: &str) -> Result<Option<PriceFacts>, DatabaseError> {
    let Some(row) = catalog::find_provider_price(tx, stripe_price_id).await? else {
        return Ok(None);
    };
    let terms: PlanTerms = serde_json::from_value(row.definition).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(PriceFacts {
        id: PriceId::from_uuid(row.price_id),
        plan_version: PlanVersionId::from_uuid(row.plan_version_id),
        product: row.product,
        delivery: Delivery::from_text(&row.delivery).ok_or_else(|| unknown("delivery", &row.delivery))?,
        limits: terms.limits,
    }))
}

/// Whether the organization has a live contract for this product, and the product is shared.
///
/// # Errors
/// The database.
pub async fn has_live_shared_contract(
    tx: &mut SystemTx,
    organization: OrganizationId,
    product: &str,
) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select exists (select from subscriptions \
             where organization_id = $1 and product = $2 and delivery = 'shared' and ended_at is null \
                 and source = 'stripe')",
    )
    .bind(organization.uuid())
    .bind(product)
    .fetch_one(&mut *tx)
    .await?)
}
