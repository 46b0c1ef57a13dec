//! Browsers that signed in before, by the hash of a secret that each keeps.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::UserId;

use crate::{DatabaseError, SystemTx};

/// Whether somebody with this address signed in from the browser with this secret since `since`. Asked with or without
/// a secret, and whether or not the address has an account: the work is the same.
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
        "select exists (select from known_devices d join users u on u.id = d.user_id
             where u.email_normalized = $1 and d.secret_hash = $2 and d.last_used_at > $3)",
    )
    .bind(email)
    .bind(secret_hash.map(<[u8; 32]>::as_slice))
    .bind(since)
    .fetch_one(tx)
    .await?)
}

/// Writes down that a user signed in from a browser; `false` when it was not known, or not since `since`.
///
/// # Errors
/// The database's.
pub async fn touch(
    tx: &mut SystemTx,
    user: UserId,
    secret_hash: &[u8; 32],
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let known = sqlx::query(
        "update known_devices set last_used_at = $3 where user_id = $1 and secret_hash = $2 and last_used_at > $4",
    )
    .bind(user.uuid())
    .bind(secret_hash.as_slice())
    .bind(now)
    .bind(since)
    .execute(tx)
    .await?;
    Ok(known.rows_affected() == 1)
}

/// Makes a browser known to a user under a new secret. Whoever knew it under the secret that it had goes on knowing it.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut SystemTx,
    user: UserId,
    secret_hash: &[u8; 32],
    previous: Option<&[u8; 32]>,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into known_devices (user_id, secret_hash, created_at, last_used_at)
         select $1::uuid, $2::bytea, $4::timestamptz, $4::timestamptz
         union all
         select user_id, $2::bytea, created_at, last_used_at from known_devices where secret_hash = $3 and user_id <> $1",
    )
    .bind(user.uuid())
    .bind(secret_hash.as_slice())
    .bind(previous.map(<[u8; 32]>::as_slice))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether a user wants to hear of sign-ins from browsers that were not seen before: yes, unless they said no.
///
/// # Errors
/// The database's.
pub async fn tells(tx: &mut SystemTx, user: UserId) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select coalesce((notifications ->> 'new_device')::boolean, true) from users where id = $1")
            .bind(user.uuid())
            .fetch_one(tx)
            .await?,
    )
}
