//! The record of who did what: rows are added in the transaction that does it and never changed. A moment later each gets
//! its place in a chain of hashes.

pub mod anchors;
pub mod chains;
pub mod seals;
pub mod verification;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgExecutor};
use tenantry_domain::{
    audit::{Chain, ChainHash, Head, Record},
    ids::{AuditEventId, OrganizationId, UserId},
};
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

/// A row of the log, as its hash is made of it.
#[derive(Debug, Clone, FromRow)]
pub struct RecordRow {
    chain: Uuid,
    id: Uuid,
    organization_id: Option<Uuid>,
    user_id: Option<Uuid>,
    action: String,
    actor: String,
    sealed_personal: Option<Vec<u8>>,
    target: Option<String>,
    body: String,
    /// Within the years 1 to 9999: a time that somebody made infinite is a changed time, and not one that nobody can read.
    at_micros: i64,
}

impl RecordRow {
    /// Which row it is.
    #[must_use]
    pub fn event(&self) -> AuditEventId {
        AuditEventId::from_uuid(self.id)
    }

    /// Which chain it is in: the column's, and what the ids in the row make of it.
    #[must_use]
    pub fn chain(&self) -> Chain {
        chain_of(self.organization_id, self.user_id)
    }

    /// The chain's id as the column has it.
    #[must_use]
    pub fn chain_id(&self) -> Uuid {
        self.chain
    }

    /// When it was written.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.at_micros).unwrap_or_default()
    }

    /// What was written.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        Record {
            id: self.id,
            organization: self.organization_id,
            user: self.user_id,
            action: &self.action,
            actor: &self.actor,
            sealed_personal: self.sealed_personal.as_deref(),
            target: self.target.as_deref(),
            body: &self.body,
            at_micros: self.at_micros,
        }
    }
}

fn chain_of(organization: Option<Uuid>, user: Option<Uuid>) -> Chain {
    Chain::of(organization.map(OrganizationId::from_uuid), user.map(UserId::from_uuid))
}

fn stored_hash(bytes: &[u8]) -> Result<ChainHash, DatabaseError> {
    ChainHash::try_from(bytes).map_err(unreadable)
}

/// Number and hash of a chain's row, as the tables beside the log keep it.
#[derive(FromRow)]
struct HeadRow {
    chain: Uuid,
    scope: String,
    seq: i64,
    hash: Vec<u8>,
}

impl TryFrom<HeadRow> for Head {
    type Error = DatabaseError;

    fn try_from(row: HeadRow) -> Result<Self, DatabaseError> {
        Ok(Self {
            chain: Chain::from_parts(&row.scope, row.chain).map_err(unreadable)?,
            seq: row.seq,
            hash: stored_hash(&row.hash)?,
        })
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> DatabaseError {
    DatabaseError::Unexpected(sqlx::Error::Decode(error.into()))
}
