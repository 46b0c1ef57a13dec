//! The intent of every write to the provider, kept before it is sent.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A write that is intended, under way or done.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CallRow {
    /// What the write is for; stable over retries.
    pub key: String,
    /// The key that the provider is given; renewed where the provider would replay a failure.
    pub idempotency_key: String,
    /// `intended`, `sent`, `done` or `failed`.
    pub state: String,
    /// How often it was sent.
    pub attempts: i32,
    /// What came of it.
    pub result_id: Option<String>,
    /// Why the last try failed.
    pub error: Option<Value>,
    /// Over what the request was made.
    pub request_hash: Vec<u8>,
    /// When it was sent first under the present key.
    pub first_sent_at: Option<DateTime<Utc>>,
    /// When it was intended.
    pub created_at: DateTime<Utc>,
}

/// Records an intent, or finds the one that was recorded before. An intent that ended and whose request differs now is
/// begun again under a new key.
///
/// # Errors
/// The database.
pub async fn intend(
    tx: &mut SystemTx,
    key: &str,
    purpose: &str,
    subject: Option<Uuid>,
    request_hash: &[u8],
    idempotency_key: &str,
) -> Result<CallRow, DatabaseError> {
    Ok(sqlx::query_as(
        "insert into stripe_calls as c (key, purpose, subject_id, request_hash, idempotency_key) \
         values ($1, $2, $3, $4, $5) \
         on conflict (key) do update set \
             state = case when c.request_hash <> excluded.request_hash then 'intended' else c.state end, \
             idempotency_key = case when c.request_hash <> excluded.request_hash \
                 then excluded.idempotency_key else c.idempotency_key end, \
             result_id = case when c.request_hash <> excluded.request_hash then null else c.result_id end, \
             first_sent_at = case when c.request_hash <> excluded.request_hash then null else c.first_sent_at end, \
             request_hash = excluded.request_hash, at = now() \
         returning key, idempotency_key, state, attempts, result_id, error, request_hash, first_sent_at, created_at",
    )
    .bind(key)
    .bind(purpose)
    .bind(subject)
    .bind(request_hash)
    .bind(idempotency_key)
    .fetch_one(&mut *tx)
    .await?)
}

/// Takes a write in hand until `until`; false when somebody else has it in hand.
///
/// # Errors
/// The database.
pub async fn lease(
    tx: &mut SystemTx,
    key: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let leased = sqlx::query(
        "update stripe_calls set leased_until = $3 where key = $1 and (leased_until is null or leased_until <= $2)",
    )
    .bind(key)
    .bind(now)
    .bind(until)
    .execute(&mut *tx)
    .await?;
    Ok(leased.rows_affected() == 1)
}

/// The channel that tells which writes were let go of, by their keys.
pub const ENDED: &str = "stripe_call_ended";

/// Lets go of a write, and tells whoever waits for it.
///
/// # Errors
/// The database.
pub async fn end_lease(tx: &mut SystemTx, key: &str) -> Result<(), DatabaseError> {
    sqlx::query(
        "with ended as (update stripe_calls set leased_until = null where key = $1 returning key) \
         select pg_notify($2, key) from ended",
    )
    .bind(key)
    .bind(ENDED)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Notes that a request is about to be sent, and has it in hand until `until`.
///
/// # Errors
/// The database.
pub async fn set_sent(
    tx: &mut SystemTx,
    key: &str,
    idempotency_key: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update stripe_calls set state = 'sent', attempts = attempts + 1, at = $3, leased_until = $4, \
             first_sent_at = case when idempotency_key = $2 then coalesce(first_sent_at, $3) else $3 end, \
             idempotency_key = $2 \
         where key = $1",
    )
    .bind(key)
    .bind(idempotency_key)
    .bind(now)
    .bind(until)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Notes how a call ended, or why its last try did not.
///
/// # Errors
/// The database.
pub async fn set_result(
    tx: &mut SystemTx,
    key: &str,
    state: &str,
    result_id: Option<&str>,
    error: Option<&Value>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update stripe_calls set state = $2, result_id = coalesce($3, result_id), error = $4, at = $5 where key = $1",
    )
    .bind(key)
    .bind(state)
    .bind(result_id)
    .bind(error)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
