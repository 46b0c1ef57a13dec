//! The people who run this installation, as they manage each other.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tenantry_domain::{accounts::OperatorRole, ids::OperatorId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// An operator in the list.
#[derive(Debug, Clone, FromRow)]
pub struct OperatorRow {
    /// Who.
    pub id: Uuid,
    /// Their address.
    pub email_normalized: String,
    /// `viewer`, `support` or `admin`.
    pub role: String,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// Since when they may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they were last seen, as far as their sessions are kept.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Whether their second factor is set up.
    pub second_factor: bool,
}

/// All operators by address, a page of them.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut SystemTx,
    search: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<OperatorRow>, DatabaseError> {
    let rows = sqlx::query_as(
        "select o.id, o.email_normalized, o.role, o.created_at, o.disabled_at,
             (select max(s.last_used_at) from operator_sessions s where s.operator_id = o.id) as last_used_at,
             exists (select from operator_totp_factors f where f.operator_id = o.id and f.confirmed_at is not null)
                 as second_factor
         from operators o
         where ($1::text is null or position(lower($1) in o.email_normalized) > 0)
             and ($2::text is null or o.email_normalized > $2)
         order by o.email_normalized limit $3",
    )
    .bind(search)
    .bind(after)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// One operator, disabled or not.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, id: OperatorId) -> Result<Option<OperatorRow>, DatabaseError> {
    let row = sqlx::query_as(
        "select o.id, o.email_normalized, o.role, o.created_at, o.disabled_at,
             (select max(s.last_used_at) from operator_sessions s where s.operator_id = o.id) as last_used_at,
             exists (select from operator_totp_factors f where f.operator_id = o.id and f.confirmed_at is not null)
                 as second_factor
         from operators o where o.id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// The operator with this address, disabled or not.
///
/// # Errors
/// The database's.
pub async fn find_by_email(tx: &mut SystemTx, email: &str) -> Result<Option<OperatorId>, DatabaseError> {
    let id: Option<Uuid> = sqlx::query_scalar("select id from operators where email_normalized = $1")
        .bind(email)
        .fetch_optional(tx)
        .await?;
    Ok(id.map(OperatorId::from_uuid))
}

/// Whether there is any operator.
///
/// # Errors
/// The database's.
pub async fn any(tx: &mut SystemTx) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar("select exists (select from operators)")
        .fetch_one(tx)
        .await?)
}

/// Every admin who may sign in. Their rows stay locked until the transaction ends: two admins who take each other's role
/// away in the same moment wait for each other, and the second one finds that it is no admin any more.
///
/// # Errors
/// The database's.
pub async fn lock_admins(tx: &mut SystemTx) -> Result<Vec<OperatorId>, DatabaseError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from operators where role = 'admin' and disabled_at is null order by id for update",
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(OperatorId::from_uuid).collect())
}

/// Keeps an operator from signing in; once is enough.
///
/// # Errors
/// The database's.
pub async fn disable(tx: &mut SystemTx, id: OperatorId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update operators set disabled_at = $2 where id = $1 and disabled_at is null")
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Lets an operator sign in again.
///
/// # Errors
/// The database's.
pub async fn enable(tx: &mut SystemTx, id: OperatorId) -> Result<(), DatabaseError> {
    sqlx::query("update operators set disabled_at = null where id = $1")
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives an operator another role.
///
/// # Errors
/// The database's.
pub async fn set_role(tx: &mut SystemTx, id: OperatorId, role: OperatorRole) -> Result<(), DatabaseError> {
    sqlx::query("update operators set role = $2 where id = $1")
        .bind(id.uuid())
        .bind(role.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends every session of an operator.
///
/// # Errors
/// The database's.
pub async fn end_sessions(tx: &mut SystemTx, id: OperatorId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update operator_sessions set ended_at = $2 where operator_id = $1 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets an operator's second factor: the next sign-in sets up another one. `false` when there was none.
///
/// # Errors
/// The database's.
pub async fn delete_second_factor(tx: &mut SystemTx, id: OperatorId) -> Result<bool, DatabaseError> {
    sqlx::query("delete from operator_recovery_codes where operator_id = $1")
        .bind(id.uuid())
        .execute(&mut *tx)
        .await?;
    let deleted = sqlx::query("delete from operator_totp_factors where operator_id = $1")
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(deleted.rows_affected() == 1)
}
