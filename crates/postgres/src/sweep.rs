//! Rows that have served their time.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgQueryResult;

use crate::{DatabaseError, SystemTx};

/// How old what may be.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// Sessions that ended, signing keys, mails that were queued, links and sign-ups that expired before this go. With a
    /// session go its refresh tokens: until then a spent one that is shown again gives away that somebody has stolen it.
    pub ended_before: DateTime<Utc>,
    /// Failed sign-ins before this are forgotten.
    pub failures_before: DateTime<Utc>,
    /// Devices on which nobody has signed in since are strangers again.
    pub devices_before: DateTime<Utc>,
    /// Codes of sign-ins to products: what one gave is looked up by it, and gone long before.
    pub codes_before: DateTime<Utc>,
}

/// Deletes what has expired by `now`, or is older than `ages` allow. Returns how many rows went.
///
/// # Errors
/// When the database fails.
pub async fn expired(tx: &mut SystemTx, now: DateTime<Utc>, ages: Ages) -> Result<u64, DatabaseError> {
    let answers = sqlx::query("delete from idempotency_keys where expires_at < $1")
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let sessions = sqlx::query("delete from sessions where least(expires_at, coalesce(ended_at, expires_at)) < $1")
        .bind(ages.ended_before)
        .execute(&mut *tx)
        .await?;
    let operators =
        sqlx::query("delete from operator_sessions where least(expires_at, coalesce(ended_at, expires_at)) < $1")
            .bind(ages.ended_before)
            .execute(&mut *tx)
            .await?;
    let challenges = sqlx::query("delete from sign_in_challenges where expires_at < $1")
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let devices = sqlx::query("delete from known_devices where last_used_at < $1")
        .bind(ages.devices_before)
        .execute(&mut *tx)
        .await?;
    let operator_devices = sqlx::query("delete from operator_known_devices where last_used_at < $1")
        .bind(ages.devices_before)
        .execute(&mut *tx)
        .await?;
    let causes = sqlx::query("delete from mail_causes where queued_at < $1")
        .bind(ages.ended_before)
        .execute(&mut *tx)
        .await?;
    let codes = sqlx::query("delete from oidc_codes where expires_at < $1")
        .bind(ages.codes_before)
        .execute(&mut *tx)
        .await?;
    let keys = sqlx::query("delete from signing_keys where remove_at < $1")
        .bind(ages.ended_before)
        .execute(&mut *tx)
        .await?;
    let sign_ups = sqlx::query("delete from sign_ups where expires_at < $1")
        .bind(ages.ended_before)
        .execute(&mut *tx)
        .await?;
    let links = sqlx::query("delete from one_time_tokens where expires_at < $1")
        .bind(ages.ended_before)
        .execute(&mut *tx)
        .await?;
    let failures = sqlx::query("delete from sign_in_failures where last_failed_at < $1")
        .bind(ages.failures_before)
        .execute(&mut *tx)
        .await?;
    let rates = sqlx::query("delete from request_rates where used_until < $1")
        .bind(now)
        .execute(tx)
        .await?;
    let all = [
        answers,
        sessions,
        operators,
        challenges,
        devices,
        operator_devices,
        causes,
        codes,
        keys,
        sign_ups,
        links,
        failures,
        rates,
    ];
    Ok(all.iter().map(PgQueryResult::rows_affected).sum())
}
