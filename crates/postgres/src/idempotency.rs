//! Answers kept under the key that a client chose, so that a repeated request does nothing twice.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What is kept under a key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredRequest {
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// The answer, sealed; `None` while it is being worked on.
    pub sealed_response: Option<Vec<u8>>,
}

/// Takes a key that is free or has expired, or whose attempt failed or was begun before `abandoned_before` and never
/// answered. Says the id of what the call creates: `act`, or that of the attempt that is taken over.
///
/// # Errors
/// The database's.
#[expect(clippy::too_many_arguments, reason = "each is a column or a limit of one statement")]
pub async fn claim(
    tx: &mut SystemTx,
    principal: &str,
    key: &str,
    request_hash: &[u8; 32],
    act: Uuid,
    now: DateTime<Utc>,
    abandoned_before: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<Option<Uuid>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "insert into idempotency_keys as k (principal, key, request_hash, act_id, created_at, expires_at)
         values ($1, $2, $3, $7, $4, $6)
         on conflict (principal, key) do update
         set request_hash = excluded.request_hash, status = null, sealed_response = null, released = false,
             act_id = case when k.expires_at <= $4 then excluded.act_id else k.act_id end,
             created_at = excluded.created_at, expires_at = excluded.expires_at
         where k.expires_at <= $4
             or (k.sealed_response is null and (k.released or k.created_at <= $5)
                 and k.request_hash = excluded.request_hash)
         returning k.act_id",
    )
    .bind(principal)
    .bind(key)
    .bind(request_hash.as_slice())
    .bind(now)
    .bind(abandoned_before)
    .bind(expires_at)
    .bind(act)
    .fetch_optional(tx)
    .await?)
}

/// What is kept under a key.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, principal: &str, key: &str) -> Result<Option<StoredRequest>, DatabaseError> {
    Ok(
        sqlx::query_as("select request_hash, sealed_response from idempotency_keys where principal = $1 and key = $2")
            .bind(principal)
            .bind(key)
            .fetch_optional(tx)
            .await?,
    )
}

/// Keeps the answer.
///
/// # Errors
/// The database's.
pub async fn complete(
    tx: &mut SystemTx,
    principal: &str,
    key: &str,
    request_hash: &[u8; 32],
    status: u16,
    sealed_response: &[u8],
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update idempotency_keys set status = $4, sealed_response = $5
         where principal = $1 and key = $2 and request_hash = $3",
    )
    .bind(principal)
    .bind(key)
    .bind(request_hash.as_slice())
    .bind(i32::from(status))
    .bind(sealed_response)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets the next attempt of the same call go on at once, with the id of this one: this one failed, and may have done
/// everything but answer.
///
/// # Errors
/// The database's.
pub async fn hand_over(
    tx: &mut SystemTx,
    principal: &str,
    key: &str,
    request_hash: &[u8; 32],
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update idempotency_keys set released = true
         where principal = $1 and key = $2 and request_hash = $3 and sealed_response is null",
    )
    .bind(principal)
    .bind(key)
    .bind(request_hash.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives a key back whose request was refused and did nothing.
///
/// # Errors
/// The database's.
pub async fn release(
    tx: &mut SystemTx,
    principal: &str,
    key: &str,
    request_hash: &[u8; 32],
) -> Result<(), DatabaseError> {
    sqlx::query(
        "delete from idempotency_keys
         where principal = $1 and key = $2 and request_hash = $3 and sealed_response is null",
    )
    .bind(principal)
    .bind(key)
    .bind(request_hash.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}
