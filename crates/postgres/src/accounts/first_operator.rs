//! Links that make the first operator of an installation that has none.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// It can be used.
    Usable,
    /// It was used, or is too old.
    Spent,
    /// There never was such a link.
    Unknown,
}

/// Keeps a link by the hash of its token, and forgets those that are too old.
///
/// # Errors
/// The database's.
pub async fn insert_link(
    tx: &mut SystemTx,
    hash: &[u8; 32],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query("delete from one_time_tokens where purpose = 'first_operator' and expires_at < $1")
        .bind(now)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "insert into one_time_tokens (hash, purpose, email_normalized, created_at, expires_at)
         values ($1, 'first_operator', '', $2, $3)",
    )
    .bind(hash.as_slice())
    .bind(now)
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes everybody who wants to be the first wait for each other until the transaction ends.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx) -> Result<(), DatabaseError> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('first operator', 0))")
        .execute(tx)
        .await?;
    Ok(())
}

/// What can be done with a link.
///
/// # Errors
/// The database's.
pub async fn link_state(tx: &mut SystemTx, hash: &[u8; 32], now: DateTime<Utc>) -> Result<LinkState, DatabaseError> {
    let usable: Option<bool> = sqlx::query_scalar(
        "select used_at is null and expires_at > $2 from one_time_tokens
         where hash = $1 and purpose = 'first_operator'",
    )
    .bind(hash.as_slice())
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(match usable {
        Some(true) => LinkState::Usable,
        Some(false) => LinkState::Spent,
        None => LinkState::Unknown,
    })
}

/// Spends all links: there is an operator now.
///
/// # Errors
/// The database's.
pub async fn spend_links(tx: &mut SystemTx, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update one_time_tokens set used_at = $1 where purpose = 'first_operator' and used_at is null")
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
