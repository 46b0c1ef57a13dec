//! Browsers from which operators signed in before, by the hash of a secret that each keeps.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::OperatorId;

use crate::{DatabaseError, SystemTx};

/// Whether an operator with this address signed in from the browser with this secret since `since`. Asked with or without
/// a secret, and whether or not the address is an operator's: the work is the same.
///
/// # Errors
/// The database's.
pub async fn is_known(
    tx: &mut SystemTx,
    email: &str,
    secret_hash: Option<&[u8; 32]>,
    since: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select exists (select from operator_known_devices d join operators o on o.id = d.operator_id
             where o.email_normalized = $1 and d.secret_hash = $2 and d.last_used_at > $3)",
    )
    .bind(email)
    .bind(secret_hash.map(<[u8; 32]>::as_slice))
    .bind(since)
    .fetch_one(tx)
    .await?)
}

/// Writes down that an operator signed in from a browser; `false` when it was not known, or not since `since`.
///
/// # Errors
/// The database's.
pub async fn touch(
    tx: &mut SystemTx,
    operator: OperatorId,
    secret_hash: &[u8; 32],
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let known = sqlx::query(
        "update operator_known_devices set last_used_at = $3
         where operator_id = $1 and secret_hash = $2 and last_used_at > $4",
    )
    .bind(operator.uuid())
    .bind(secret_hash.as_slice())
    .bind(now)
    .bind(since)
    .execute(tx)
    .await?;
    Ok(known.rows_affected() == 1)
}

/// Makes a browser known to an operator.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut SystemTx,
    operator: OperatorId,
    secret_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into operator_known_devices (operator_id, secret_hash, created_at, last_used_at) values ($1, $2, $3, $3)",
    )
    .bind(operator.uuid())
    .bind(secret_hash.as_slice())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes every browser of an operator a stranger again.
///
/// # Errors
/// The database's.
pub async fn forget(tx: &mut SystemTx, operator: OperatorId) -> Result<(), DatabaseError> {
    sqlx::query("delete from operator_known_devices where operator_id = $1")
        .bind(operator.uuid())
        .execute(tx)
        .await?;
    Ok(())
}
