//! What a tenant is made from: the product and plan that its rows point to.

use std::collections::HashMap;

use sqlx::{Executor, FromRow, Postgres};
use tenantry_domain::ids::{PlanVersionId, TenantId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// Product, plan and people of a tenant, as the ledger holds them.
#[derive(Debug, Clone, FromRow)]
pub struct BlueprintRow {
    /// The organization's name.
    pub organization_name: String,
    /// The owner's address, for mail.
    pub owner_email: Option<String>,
    /// Definition of the product in the catalog.
    pub product_definition: serde_json::Value,
    /// Key of the plan.
    pub plan: String,
    /// Definition of the plan version.
    pub plan_definition: serde_json::Value,
}

/// Reads the definitions behind one tenant as a plan version would make it: the one that its operation was queued with,
/// since the tenant's own may have moved on meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn find<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    tenant: TenantId,
    plan: PlanVersionId,
) -> Result<Option<BlueprintRow>, DatabaseError> {
    let row = sqlx::query_as(
        "select o.name as organization_name, u.email_normalized as owner_email, \
           p.definition as product_definition, v.plan, v.definition as plan_definition \
         from tenants t \
         join organizations o on o.id = t.organization_id \
         join products p on p.key = t.product \
         join plan_versions v on v.id = $2 and v.product = t.product \
         left join memberships m on m.organization_id = t.organization_id and m.role = 'owner' \
         left join users u on u.id = m.user_id \
         where t.id = $1",
    )
    .persistent(false)
    .bind(tenant.uuid())
    .bind(plan.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// The current version of a product's plan.
///
/// # Errors
/// When the database fails.
pub async fn current_plan(
    tx: &mut SystemTx,
    product: &str,
    plan: &str,
) -> Result<Option<PlanVersionId>, DatabaseError> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "select v.id from plan_versions v join products p on p.key = v.product \
         where v.product = $1 and v.plan = $2 and v.retired_at is null and p.retired_at is null \
           and p.delivery = 'dedicated'",
    )
    .bind(product)
    .bind(plan)
    .fetch_optional(tx)
    .await?;
    Ok(id.map(PlanVersionId::from_uuid))
}

/// The keys of the plans behind plan versions.
///
/// # Errors
/// When the database fails.
pub async fn plan_keys(
    tx: &mut SystemTx,
    versions: &[PlanVersionId],
) -> Result<HashMap<PlanVersionId, String>, DatabaseError> {
    let ids: Vec<Uuid> = versions.iter().map(|version| version.uuid()).collect();
    let rows: Vec<(Uuid, String)> = sqlx::query_as("select id, plan from plan_versions where id = any($1)")
        .bind(ids)
        .fetch_all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, plan)| (PlanVersionId::from_uuid(id), plan))
        .collect())
}
