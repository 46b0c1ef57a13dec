//! Rows that have served their time.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// Deletes answers whose replay has expired, what ended, was mailed or expired before `before`, and failed sign-ins that
/// are forgotten since `forgotten_before`. Returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn expired(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
    forgotten_before: DateTime<Utc>,
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
    let causes = sqlx::query("delete from mail_causes where queued_at < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let sign_ups = sqlx::query("delete from sign_ups where expires_at < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let links = sqlx::query("delete from one_time_tokens where expires_at < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let failures = sqlx::query("delete from sign_in_failures where last_failed_at < $1")
        .bind(forgotten_before)
        .execute(tx)
        .await?;
    Ok([answers, sessions, operators, causes, sign_ups, links, failures]
        .iter()
        .map(sqlx::postgres::PgQueryResult::rows_affected)
        .sum())
}
