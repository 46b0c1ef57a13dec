//! Which mails were queued, so that none is queued twice for one cause.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// Notes a cause; false when it was noted before.
///
/// # Errors
/// The database.
pub async fn insert(tx: &mut SystemTx, hash: &[u8], now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let inserted =
        sqlx::query("insert into mail_causes (hash, queued_at) values ($1, $2) on conflict (hash) do nothing")
            .bind(hash)
            .bind(now)
            .execute(tx)
            .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Whether a cause was noted.
///
/// # Errors
/// The database.
pub async fn exists(tx: &mut SystemTx, hash: &[u8]) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from mail_causes where hash = $1)")
            .bind(hash)
            .fetch_one(tx)
            .await?,
    )
}
