//! A person's sessions as operators see them, and the sessions through which operators look.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tenantry_domain::ids::{OperatorId, SessionId, UserId};
use uuid::Uuid;

use super::sessions::IdleSince;
use crate::{DatabaseError, SystemTx};

/// A session that has not ended.
#[derive(Debug, Clone, FromRow)]
pub struct UserSessionRow {
    /// Which.
    pub id: Uuid,
    /// `browser` or `token`.
    pub kind: String,
    /// What the browser or program says it is.
    pub device: String,
    /// Where it signed in from.
    pub address: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was used last, as far as written down.
    pub last_used_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// The address of the operator who looks through it.
    pub operator_email: Option<String>,
}

/// A session of an operator in a customer's name.
#[derive(Debug, Clone)]
pub struct NewImpersonation<'a> {
    /// Its id.
    pub id: SessionId,
    /// In whose name.
    pub user: UserId,
    /// Who looks.
    pub operator: OperatorId,
    /// Why, in the operator's words.
    pub reason: &'a str,
    /// SHA-256 of the secret that the browser keeps.
    pub secret_hash: &'a [u8; 32],
    /// What the browser says it is.
    pub device: &'a str,
    /// Where from.
    pub address: Option<IpAddr>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Its end.
    pub expires_at: DateTime<Utc>,
}

/// Begins a session of an operator in a customer's name. It has never proved to be that customer.
///
/// # Errors
/// The database's.
pub async fn insert_impersonation(tx: &mut SystemTx, session: &NewImpersonation<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sessions (id, user_id, secret_hash, device, address, created_at, last_used_at, expires_at,
                               proved_at, impersonator_id, impersonation_reason)
         values ($1, $2, $3, $4, $5::text::inet, $6, $6, $7, 'epoch', $8, $9)",
    )
    .bind(session.id.uuid())
    .bind(session.user.uuid())
    .bind(session.secret_hash.as_slice())
    .bind(session.device)
    .bind(session.address.map(|address| address.to_string()))
    .bind(session.created_at)
    .bind(session.expires_at)
    .bind(session.operator.uuid())
    .bind(session.reason)
    .execute(tx)
    .await?;
    Ok(())
}

/// A person's sessions that have not ended, newest first.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut SystemTx,
    user: UserId,
    now: DateTime<Utc>,
    idle_since: IdleSince,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<UserSessionRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select s.id, s.kind, s.device, host(s.address) as address, s.created_at, s.last_used_at, s.expires_at,
             o.email_normalized as operator_email
         from sessions s left join operators o on o.id = s.impersonator_id
         where s.user_id = $1 and s.ended_at is null and s.expires_at > $2
             and s.last_used_at > case s.kind when 'token' then $7::timestamptz else $3::timestamptz end
             and ($4::timestamptz is null or (s.created_at, s.id) < ($4, $5::uuid))
         order by s.created_at desc, s.id desc limit $6",
    )
    .bind(user.uuid())
    .bind(now)
    .bind(idle_since.browsers)
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .bind(idle_since.programs)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Ends one session of a person; `false` when they have no such session that lives.
///
/// # Errors
/// The database's.
pub async fn end(
    tx: &mut SystemTx,
    user: UserId,
    session: SessionId,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let ended = sqlx::query("update sessions set ended_at = $3 where id = $2 and user_id = $1 and ended_at is null")
        .bind(user.uuid())
        .bind(session.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends all sessions of a person, and says which.
///
/// # Errors
/// The database's.
pub async fn end_all(tx: &mut SystemTx, user: UserId, now: DateTime<Utc>) -> Result<Vec<SessionId>, DatabaseError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "update sessions set ended_at = $2 where user_id = $1 and ended_at is null and expires_at > $2 returning id",
    )
    .bind(user.uuid())
    .bind(now)
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Ends every session through which an operator looks.
///
/// # Errors
/// The database's.
pub async fn end_impersonations(
    tx: &mut SystemTx,
    operator: OperatorId,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query("update sessions set ended_at = $2 where impersonator_id = $1 and ended_at is null")
        .bind(operator.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
