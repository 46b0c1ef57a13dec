//! How often somebody asked, counted by a keyed hash of who asks.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// When all that this subject asked for is forgotten. Its row is made if need be and stays locked until the transaction
/// ends. Lock subjects in the same order always.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx, subject: &[u8; 32], now: DateTime<Utc>) -> Result<DateTime<Utc>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "insert into request_rates as r (subject, used_until) values ($1, $2)
         on conflict (subject) do update set used_until = r.used_until
         returning used_until",
    )
    .bind(subject.as_slice())
    .bind(now)
    .fetch_one(tx)
    .await?)
}

/// Writes down when it is forgotten from now on.
///
/// # Errors
/// The database's.
pub async fn set(tx: &mut SystemTx, subject: &[u8; 32], used_until: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update request_rates set used_until = $2 where subject = $1")
        .bind(subject.as_slice())
        .bind(used_until)
        .execute(tx)
        .await?;
    Ok(())
}
