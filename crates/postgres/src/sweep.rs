//! Rows that have served their time.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{DatabaseError, SystemTx};

/// What a code gave is looked up by it, and gone long before.
const CODES_STAY: TimeDelta = TimeDelta::days(1);

/// Deletes answers whose replay has expired and codes; and what ended before `before`: sessions, refresh tokens that were
/// spent, signing keys, causes of mails, sign-ups. Returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn expired(tx: &mut SystemTx, now: DateTime<Utc>, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
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
    let spent = sqlx::query("delete from refresh_tokens where spent_at < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let codes = sqlx::query("delete from oidc_codes where expires_at < $1")
        .bind(now - CODES_STAY)
        .execute(&mut *tx)
        .await?;
    let keys = sqlx::query("delete from signing_keys where remove_at < $1")
        .bind(before)
        .execute(&mut *tx)
        .await?;
    let sign_ups = sqlx::query("delete from sign_ups where expires_at < $1")
        .bind(before)
        .execute(tx)
        .await?;
    Ok([answers, sessions, operators, causes, spent, codes, keys, sign_ups]
        .iter()
        .map(sqlx::postgres::PgQueryResult::rows_affected)
        .sum())
}
