//! Operators and their sessions, which have nothing to do with users.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::OperatorRole,
    ids::{OperatorId, SessionId},
};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What signing in needs to know of an operator.
#[derive(Debug, Clone)]
pub struct OperatorCredentials {
    /// The operator.
    pub id: OperatorId,
    /// The stored hash.
    pub password_hash: String,
    /// What they may do.
    pub role: OperatorRole,
}

/// A session that has not ended, and whose it is.
#[derive(Debug, Clone)]
pub struct LiveOperatorSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub operator: OperatorId,
    /// The operator's address.
    pub email: String,
    /// What they may do.
    pub role: OperatorRole,
    /// When it was used last, as far as written down.
    pub last_used_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
}

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewOperatorSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub operator: OperatorId,
    /// SHA-256 of the secret that the browser keeps.
    pub secret_hash: &'a [u8; 32],
    /// What the browser says it is.
    pub device: &'a str,
    /// Where it signed in from.
    pub address: Option<IpAddr>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Uuid,
    operator_id: Uuid,
    email_normalized: String,
    role: String,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

fn role(text: &str) -> Result<OperatorRole, DatabaseError> {
    text.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)).into())
}

/// Makes an operator; `None` when the address already is one.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut SystemTx,
    id: OperatorId,
    email: &str,
    password_hash: &str,
    role: OperatorRole,
) -> Result<Option<OperatorId>, DatabaseError> {
    let inserted: Option<Uuid> = sqlx::query_scalar(
        "insert into operators (id, email_normalized, password_hash, role) values ($1, $2, $3, $4)
         on conflict (email_normalized) do nothing returning id",
    )
    .bind(id.uuid())
    .bind(email)
    .bind(password_hash)
    .bind(role.as_str())
    .fetch_optional(tx)
    .await?;
    Ok(inserted.map(OperatorId::from_uuid))
}

/// The operator with this address, unless disabled.
///
/// # Errors
/// The database's.
pub async fn find_credentials(tx: &mut SystemTx, email: &str) -> Result<Option<OperatorCredentials>, DatabaseError> {
    let row: Option<(Uuid, String, String)> = sqlx::query_as(
        "select id, password_hash, role from operators where email_normalized = $1 and disabled_at is null",
    )
    .bind(email)
    .fetch_optional(tx)
    .await?;
    row.map(|(id, password_hash, name)| {
        Ok(OperatorCredentials {
            id: OperatorId::from_uuid(id),
            password_hash,
            role: role(&name)?,
        })
    })
    .transpose()
}

/// Whether the operator's password still is the one whose hash was compared while no transaction was open, and they may
/// still sign in. It stays so until this one ends. `stronger` takes the hash's place.
///
/// # Errors
/// The database's.
pub async fn settle_password(
    tx: &mut SystemTx,
    id: OperatorId,
    verified: &str,
    stronger: Option<&str>,
) -> Result<bool, DatabaseError> {
    let is_same: Option<i32> = sqlx::query_scalar(
        "select 1 from operators where id = $1 and password_hash = $2 and disabled_at is null for no key update",
    )
    .bind(id.uuid())
    .bind(verified)
    .fetch_optional(&mut *tx)
    .await?;
    if let (Some(_), Some(stronger)) = (is_same, stronger) {
        sqlx::query("update operators set password_hash = $2 where id = $1")
            .bind(id.uuid())
            .bind(stronger)
            .execute(tx)
            .await?;
    }
    Ok(is_same.is_some())
}

/// Begins a session: a second factor was shown.
///
/// # Errors
/// The database's.
pub async fn insert_session(tx: &mut SystemTx, session: &NewOperatorSession<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into operator_sessions
             (id, operator_id, secret_hash, device, address, created_at, last_used_at, proved_at, mfa_at, expires_at)
         values ($1, $2, $3, $4, $5::text::inet, $6, $6, $6, $6, $7)",
    )
    .bind(session.id.uuid())
    .bind(session.operator.uuid())
    .bind(session.secret_hash.as_slice())
    .bind(session.device)
    .bind(session.address.map(|address| address.to_string()))
    .bind(session.created_at)
    .bind(session.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The session with this secret, unless it has ended, has expired, was not used since `idle_since`, was begun without a
/// second factor, or its operator was disabled.
///
/// # Errors
/// The database's.
pub async fn find_live_session(
    tx: &mut SystemTx,
    secret_hash: &[u8; 32],
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<Option<LiveOperatorSession>, DatabaseError> {
    let row: Option<SessionRow> = sqlx::query_as(
        "select s.id, s.operator_id, o.email_normalized, o.role, s.last_used_at, s.expires_at
         from operator_sessions s join operators o on o.id = s.operator_id
         where s.secret_hash = $1 and s.ended_at is null and s.expires_at > $2 and s.last_used_at > $3
             and s.mfa_at is not null and o.disabled_at is null",
    )
    .bind(secret_hash.as_slice())
    .bind(now)
    .bind(idle_since)
    .fetch_optional(tx)
    .await?;
    row.map(|row| {
        Ok(LiveOperatorSession {
            id: SessionId::from_uuid(row.id),
            operator: OperatorId::from_uuid(row.operator_id),
            email: row.email_normalized,
            role: role(&row.role)?,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

/// Writes down that a session was used.
///
/// # Errors
/// The database's.
pub async fn touch_session(tx: &mut SystemTx, id: SessionId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update operator_sessions set last_used_at = $2 where id = $1 and last_used_at < $2")
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// The address and the role of an operator who is not disabled.
///
/// # Errors
/// The database's.
pub async fn find_active(tx: &mut SystemTx, id: OperatorId) -> Result<Option<(String, OperatorRole)>, DatabaseError> {
    let row: Option<(String, String)> =
        sqlx::query_as("select email_normalized, role from operators where id = $1 and disabled_at is null")
            .bind(id.uuid())
            .fetch_optional(tx)
            .await?;
    row.map(|(email, name)| Ok((email, role(&name)?))).transpose()
}

/// Ends a session; once is enough.
///
/// # Errors
/// The database's.
pub async fn end_session(tx: &mut SystemTx, id: SessionId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update operator_sessions set ended_at = $2 where id = $1 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
