//! The record of who did what: rows are added in the transaction that does it and never changed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgExecutor};
use tenantry_domain::ids::{AuditEventId, OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// One act.
#[derive(Debug, Clone)]
pub struct NewAuditEvent<'a> {
    /// Its id.
    pub id: AuditEventId,
    /// The organization that it concerns.
    pub organization: Option<OrganizationId>,
    /// The user whom it concerns.
    pub user: Option<UserId>,
    /// What was done: `session.started`.
    pub action: &'a str,
    /// Who did it: an id, or `anonymous`, or the part of the program.
    pub actor: &'a str,
    /// What else is known of the person, sealed under the person's own key.
    pub sealed_personal: Option<&'a [u8]>,
    /// What it was done to.
    pub target: Option<&'a str>,
    /// The rest.
    pub body: &'a Value,
    /// When.
    pub at: DateTime<Utc>,
}

/// Writes one act down, in any scope that may see it.
///
/// # Errors
/// The database's.
pub async fn insert(executor: impl PgExecutor<'_>, event: &NewAuditEvent<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into audit_events (id, organization_id, user_id, action, actor, sealed_personal, target, body, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(event.id.uuid())
    .bind(event.organization.map(OrganizationId::uuid))
    .bind(event.user.map(UserId::uuid))
    .bind(event.action)
    .bind(event.actor)
    .bind(event.sealed_personal)
    .bind(event.target)
    .bind(event.body)
    .bind(event.at)
    .persistent(false)
    .execute(executor)
    .await?;
    Ok(())
}

/// A person's key, sealed.
#[derive(Debug, Clone, FromRow)]
pub struct PersonalKeyRow {
    /// Which master key wraps it.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The encrypted key.
    pub ciphertext: Vec<u8>,
}

/// A person's key; nothing before the first act, and after the person was erased.
///
/// # Errors
/// The database's.
pub async fn find_key(executor: impl PgExecutor<'_>, subject: Uuid) -> Result<Option<PersonalKeyRow>, DatabaseError> {
    Ok(
        sqlx::query_as("select key_id, wrapped_key, ciphertext from personal_keys where user_id = $1")
            .bind(subject)
            .persistent(false)
            .fetch_optional(executor)
            .await?,
    )
}

/// Keeps a person's key, unless there is one already.
///
/// # Errors
/// The database's.
pub async fn insert_key(
    executor: impl PgExecutor<'_>,
    subject: Uuid,
    key: &PersonalKeyRow,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into personal_keys (user_id, key_id, wrapped_key, ciphertext, created_at) values ($1, $2, $3, $4, $5)
         on conflict (user_id) do nothing",
    )
    .bind(subject)
    .bind(&key.key_id)
    .bind(&key.wrapped_key)
    .bind(&key.ciphertext)
    .bind(now)
    .persistent(false)
    .execute(executor)
    .await?;
    Ok(())
}

/// Drops a person's key: what the log keeps sealed of them can never be read again.
///
/// # Errors
/// The database's.
pub async fn delete_key(tx: &mut SystemTx, subject: Uuid) -> Result<(), DatabaseError> {
    sqlx::query("delete from personal_keys where user_id = $1")
        .bind(subject)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whom an act concerned, and what is sealed beside it.
///
/// # Errors
/// The database's.
pub async fn find_sealed(
    tx: &mut SystemTx,
    event: AuditEventId,
) -> Result<Option<(Option<Uuid>, Vec<u8>)>, DatabaseError> {
    Ok(sqlx::query_as(
        "select user_id, sealed_personal from audit_events where id = $1 and sealed_personal is not null",
    )
    .bind(event.uuid())
    .fetch_optional(tx)
    .await?)
}
