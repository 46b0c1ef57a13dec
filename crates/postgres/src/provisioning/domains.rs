//! Rows of `domains`: which host belongs to which tenant.

use chrono::{DateTime, Utc};
use sqlx::{Executor, Postgres};
use tenantry_domain::ids::{OrganizationId, TenantId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// How a wish for a host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is the tenant's now. If somebody's reservation of it had run out, that tenant has lost it.
    Yes {
        /// Who lost it.
        taken_from: Option<TenantId>,
    },
    /// Somebody has it.
    Taken,
}

/// Reserves a host until `until`; for good when there is no time. Looks across organizations.
///
/// # Errors
/// When the database fails.
pub async fn reserve(
    tx: &mut SystemTx,
    host: &str,
    organization: OrganizationId,
    tenant: TenantId,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Reserved, DatabaseError> {
    let expired: Option<Uuid> =
        sqlx::query_scalar("delete from domains where host = $1 and reserved_until < $2 returning tenant_id")
            .bind(host)
            .bind(now)
            .fetch_optional(&mut *tx)
            .await?;
    let inserted = sqlx::query(
        "insert into domains (host, organization_id, tenant_id, reserved_until) values ($1, $2, $3, $4) \
         on conflict (host) do update set reserved_until = excluded.reserved_until \
         where domains.tenant_id = excluded.tenant_id",
    )
    .bind(host)
    .bind(organization.uuid())
    .bind(tenant.uuid())
    .bind(until)
    .execute(tx)
    .await?
    .rows_affected();
    Ok(if inserted == 1 {
        Reserved::Yes {
            taken_from: expired.map(TenantId::from_uuid),
        }
    } else {
        Reserved::Taken
    })
}

/// Whether somebody has the host at `now`. Looks across organizations.
///
/// # Errors
/// When the database fails.
pub async fn is_taken(tx: &mut SystemTx, host: &str, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let taken = sqlx::query_scalar(
        "select exists (select from domains where host = $1 and (reserved_until is null or reserved_until >= $2))",
    )
    .bind(host)
    .bind(now)
    .fetch_one(tx)
    .await?;
    Ok(taken)
}

/// Keeps a reserved host for good.
///
/// # Errors
/// When the database fails.
pub async fn keep<'c>(tx: impl Executor<'c, Database = Postgres>, tenant: TenantId) -> Result<(), DatabaseError> {
    sqlx::query("update domains set reserved_until = null where tenant_id = $1 and reserved_until is not null")
        .persistent(false)
        .bind(tenant.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives a tenant's hosts back.
///
/// # Errors
/// When the database fails.
pub async fn release<'c>(tx: impl Executor<'c, Database = Postgres>, tenant: TenantId) -> Result<(), DatabaseError> {
    sqlx::query("delete from domains where tenant_id = $1")
        .persistent(false)
        .bind(tenant.uuid())
        .execute(tx)
        .await?;
    Ok(())
}
