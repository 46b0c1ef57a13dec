//! Rows of `operations` as people and other parts look at them; the engine has its own statements.

use chrono::{DateTime, Utc};
use sqlx::{Executor, FromRow, Postgres, Row, postgres::PgRow};
use tenantry_domain::ids::{OperationId, OrganizationId, TenantId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// An operation in a list.
#[derive(Debug, Clone)]
pub struct OperationRow {
    /// Its identifier.
    pub id: OperationId,
    /// Whose tenant.
    pub organization: OrganizationId,
    /// On which tenant.
    pub tenant: TenantId,
    /// Which kind.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// Why it was queued.
    pub cause: String,
    /// Who wanted it.
    pub actor: String,
    /// How often a person retried it, from 1.
    pub attempt: i32,
    /// Why it went back or is stuck.
    pub error: Option<serde_json::Value>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When its first step began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl OperationRow {
    /// Whether it waits for a person.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.state == "stuck"
    }
}

impl FromRow<'_, PgRow> for OperationRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: OperationId::from_uuid(row.try_get("id")?),
            organization: OrganizationId::from_uuid(row.try_get("organization_id")?),
            tenant: TenantId::from_uuid(row.try_get("tenant_id")?),
            kind: row.try_get("kind")?,
            state: row.try_get("state")?,
            cause: row.try_get("cause")?,
            actor: row.try_get("actor")?,
            attempt: row.try_get("attempt")?,
            error: row.try_get("error")?,
            created_at: row.try_get("created_at")?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

/// One operation that the scope sees.
///
/// # Errors
/// When the database fails.
pub async fn find<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: OperationId,
) -> Result<Option<OperationRow>, DatabaseError> {
    let row = sqlx::query_as(
        "select id, organization_id, tenant_id, kind, state, cause, actor, attempt, error, created_at, started_at, \
           ended_at from operations where id = $1",
    )
    .persistent(false)
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// The latest operations of one tenant, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_of_tenant<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    tenant: TenantId,
) -> Result<Vec<OperationRow>, DatabaseError> {
    let rows = sqlx::query_as(
        "select id, organization_id, tenant_id, kind, state, cause, actor, attempt, error, created_at, started_at, \
           ended_at from operations where tenant_id = $1 order by created_at desc, id desc limit 50",
    )
    .persistent(false)
    .bind(tenant.uuid())
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Operations that the scope sees, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    state: Option<&str>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<OperationRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, organization_id, tenant_id, kind, state, cause, actor, attempt, error, created_at, started_at, \
           ended_at from operations \
         where ($1::text is null or state = $1) and ($2::timestamptz is null or (created_at, id) < ($2, $3)) \
         order by created_at desc, id desc limit $4",
    )
    .persistent(false)
    .bind(state)
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// The operation that began a tenant's life, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn first_of_tenant(tx: &mut SystemTx, tenant: TenantId) -> Result<Option<OperationId>, DatabaseError> {
    let id: Option<Uuid> =
        sqlx::query_scalar("select id from operations where tenant_id = $1 order by created_at, id limit 1")
            .bind(tenant.uuid())
            .fetch_optional(tx)
            .await?;
    Ok(id.map(OperationId::from_uuid))
}

/// The operation that is at work on a tenant, or waits for a person.
///
/// # Errors
/// When the database fails.
pub async fn current<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    tenant: TenantId,
) -> Result<Option<OperationRow>, DatabaseError> {
    let row = sqlx::query_as(
        "select id, organization_id, tenant_id, kind, state, cause, actor, attempt, error, created_at, started_at, \
           ended_at from operations where tenant_id = $1 and state not in ('done', 'undone')",
    )
    .persistent(false)
    .bind(tenant.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// How far an operation's log reaches: the number of its last record, 0 for none yet.
///
/// # Errors
/// When the database fails.
pub async fn last_record<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: OperationId,
) -> Result<i32, DatabaseError> {
    let seq = sqlx::query_scalar("select coalesce(max(seq), 0) from operation_steps where operation_id = $1")
        .persistent(false)
        .bind(id.uuid())
        .fetch_one(tx)
        .await?;
    Ok(seq)
}
