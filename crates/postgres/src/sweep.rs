//! Rows that have served their time.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// Deletes answers and challenges that have expired, sessions that ended before `before`, sign-ups that expired before it,
/// and devices on which nobody signed in since `unseen_since`. Returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn expired(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    unseen_since: DateTime<Utc>,
) -> Result<u64, DatabaseError> {
    let answers = sqlx::query("delete from idempotency_keys where expires_at < $1")
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let sessions = sqlx::query("delete from sessions where least(expires_at, coalesce(ended_at, expires_at)) < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let operators =
        sqlx::query("delete from operator_sessions where least(expires_at, coalesce(ended_at, expires_at)) < $1")
            .bind(before)
            .execute(&mut *tx)
            .await?;
    let challenges = sqlx::query("delete from sign_in_challenges where expires_at < $1")
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let devices = sqlx::query("delete from known_devices where last_used_at < $1")
        .bind(unseen_since)
        .execute(&mut *tx)
        .await?;
    let sign_ups = sqlx::query("delete from sign_ups where expires_at < $1")
        .bind(before)
        .execute(tx)
        .await?;
    Ok([answers, sessions, operators, challenges, devices, sign_ups]
        .iter()
        .map(sqlx::postgres::PgQueryResult::rows_affected)
        .sum())
}
