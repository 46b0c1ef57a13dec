//! Sessions of programs, and the chain of refresh tokens that each of them goes through.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::{Executor, Postgres};
use tenantry_domain::ids::{SessionId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A session to begin, with the first token of its chain.
#[derive(Debug, Clone)]
pub struct NewTokenSession<'a> {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// What the program says it is.
    pub device: &'a str,
    /// Where it signed in from.
    pub address: Option<IpAddr>,
    /// Whether a second factor was shown.
    pub by_second_factor: bool,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Its end, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// The first token's id.
    pub token: Uuid,
    /// SHA-256 of the first token.
    pub token_hash: &'a [u8; 32],
}

/// A token that is shown, and what is to follow it.
#[derive(Debug, Clone)]
pub struct Rotation<'a> {
    /// SHA-256 of the token that is shown.
    pub presented_hash: &'a [u8; 32],
    /// The id that its successor gets.
    pub successor: Uuid,
    /// SHA-256 of its successor.
    pub successor_hash: &'a [u8; 32],
    /// Now.
    pub now: DateTime<Utc>,
    /// A session that was not used since then has ended.
    pub idle_since: DateTime<Utc>,
    /// A session whose last use was written down before then has it written down again.
    pub touch_before: DateTime<Utc>,
}

/// What became of a token that is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RotatedRow {
    /// The session.
    pub session_id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// The session's end, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// When the token was spent before; none also when somebody else spends it at this very moment.
    pub spent_at: Option<DateTime<Utc>>,
    /// Whether this call spent it.
    pub rotated: bool,
}

/// Begins the session of a program.
///
/// # Errors
/// The database's.
pub async fn start(tx: &mut SystemTx, session: &NewTokenSession<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "with started as (
             insert into sessions (id, user_id, kind, device, address, created_at, last_used_at, proved_at, mfa_at, expires_at)
             values ($1, $2, 'token', $3, $4::text::inet, $5, $5, $5, case when $6 then $5::timestamptz end, $7)
             returning id, user_id)
         insert into refresh_tokens (id, user_id, session_id, hash, created_at)
         select $8, user_id, id, $9, $5 from started",
    )
    .bind(session.id.uuid())
    .bind(session.user.uuid())
    .bind(session.device)
    .bind(session.address.map(|address| address.to_string()))
    .bind(session.created_at)
    .bind(session.by_second_factor)
    .bind(session.expires_at)
    .bind(session.token)
    .bind(session.token_hash.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// Spends a token of a live session and writes its successor down, in one statement; of several that come with the same
/// token one does, and the others wait for it and learn that it is spent. Nothing when there is no such token.
///
/// # Errors
/// The database's.
pub async fn rotate<'c>(
    executor: impl Executor<'c, Database = Postgres>,
    rotation: &Rotation<'_>,
) -> Result<Option<RotatedRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "with presented as (
             select r.id, r.user_id, r.session_id, r.spent_at, s.expires_at
             from refresh_tokens r join sessions s on s.id = r.session_id join users u on u.id = r.user_id
             where r.hash = $1 and s.kind = 'token' and s.ended_at is null and s.expires_at > $4 and s.last_used_at > $5
                 and u.deleted_at is null),
         spent as (
             update refresh_tokens r set spent_at = $4 from presented p where r.id = p.id and r.spent_at is null
             returning r.user_id, r.session_id),
         succeeded as (
             insert into refresh_tokens (id, user_id, session_id, hash, created_at)
             select $3, user_id, session_id, $2, $4 from spent),
         touched as (
             update sessions s set last_used_at = $4 from spent where s.id = spent.session_id and s.last_used_at <= $6)
         select p.session_id, p.user_id, p.expires_at, p.spent_at, exists (select from spent) as rotated
         from presented p",
    )
    .bind(rotation.presented_hash.as_slice())
    .bind(rotation.successor_hash.as_slice())
    .bind(rotation.successor)
    .bind(rotation.now)
    .bind(rotation.idle_since)
    .bind(rotation.touch_before)
    .fetch_optional(executor)
    .await?)
}

/// Id and time of a token in a chain.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, hash: &[u8; 32]) -> Result<Option<(Uuid, DateTime<Utc>)>, DatabaseError> {
    Ok(
        sqlx::query_as("select id, created_at from refresh_tokens where hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(tx)
            .await?,
    )
}
