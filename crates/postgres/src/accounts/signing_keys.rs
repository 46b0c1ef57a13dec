//! Keys that sign tokens. Their private halves pass here sealed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::accounts::tokens::{KeyTimes, SigningAlgorithm};

use crate::{DatabaseError, SystemTx};

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct SigningKeyRow {
    /// Names the key in the header of tokens.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The public half, as it is published.
    pub public_jwk: Value,
    /// The private half.
    pub sealed_private: String,
    /// Its life.
    pub times: KeyTimes,
}

#[derive(sqlx::FromRow)]
struct Row {
    kid: String,
    algorithm: String,
    public_jwk: Value,
    sealed_private: String,
    created_at: DateTime<Utc>,
    not_before: DateTime<Utc>,
    retire_at: DateTime<Utc>,
    remove_at: DateTime<Utc>,
}

impl Row {
    /// The constraint of the table leaves no other algorithm.
    fn into_key(self) -> Option<SigningKeyRow> {
        Some(SigningKeyRow {
            kid: self.kid,
            algorithm: SigningAlgorithm::from_text(&self.algorithm)?,
            public_jwk: self.public_jwk,
            sealed_private: self.sealed_private,
            times: KeyTimes {
                created_at: self.created_at,
                not_before: self.not_before,
                retire_at: self.retire_at,
                remove_at: self.remove_at,
            },
        })
    }
}

/// One maker of keys at a time. Held until the transaction ends.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx) -> Result<(), DatabaseError> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('tenantry signing keys', 0))")
        .execute(tx)
        .await?;
    Ok(())
}

/// Every key that is published now, the newest of each algorithm first.
///
/// # Errors
/// The database's.
pub async fn list_published(tx: &mut SystemTx, now: DateTime<Utc>) -> Result<Vec<SigningKeyRow>, DatabaseError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select kid, algorithm, public_jwk, sealed_private, created_at, not_before, retire_at, remove_at
         from signing_keys where remove_at > $1 and revoked_at is null order by algorithm, not_before desc, kid",
    )
    .bind(now)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().filter_map(Row::into_key).collect())
}

/// Adds a key, and has the older ones of its algorithm retire when it begins to sign.
///
/// # Errors
/// The database's.
pub async fn add(tx: &mut SystemTx, key: &SigningKeyRow) -> Result<(), DatabaseError> {
    let times = key.times;
    sqlx::query(
        "update signing_keys set retire_at = $2, remove_at = least(remove_at, $3)
         where algorithm = $1 and retire_at > $2 and not_before < $2",
    )
    .bind(key.algorithm.as_str())
    .bind(times.not_before)
    .bind(KeyTimes::removed_after(times.not_before))
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into signing_keys (kid, algorithm, public_jwk, sealed_private, created_at, not_before, retire_at, remove_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&key.kid)
    .bind(key.algorithm.as_str())
    .bind(&key.public_jwk)
    .bind(&key.sealed_private)
    .bind(times.created_at)
    .bind(times.not_before)
    .bind(times.retire_at)
    .bind(times.remove_at)
    .execute(&mut *tx)
    .await?;
    announce(tx).await
}

/// What a key signs with, and since when it is revoked.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut SystemTx,
    kid: &str,
) -> Result<Option<(SigningAlgorithm, Option<DateTime<Utc>>)>, DatabaseError> {
    let row: Option<(String, Option<DateTime<Utc>>)> =
        sqlx::query_as("select algorithm, revoked_at from signing_keys where kid = $1")
            .bind(kid)
            .fetch_optional(tx)
            .await?;
    Ok(row.and_then(|(algorithm, revoked_at)| Some((SigningAlgorithm::from_text(&algorithm)?, revoked_at))))
}

/// Takes a key out of use for good, and forgets its private half; `false` when that was done before.
///
/// # Errors
/// The database's.
pub async fn revoke(tx: &mut SystemTx, kid: &str, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let revoked = sqlx::query(
        "update signing_keys set revoked_at = $2, sealed_private = '' where kid = $1 and revoked_at is null",
    )
    .bind(kid)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    announce(tx).await?;
    Ok(revoked.rows_affected() == 1)
}

/// Tells every server that the keys are other ones, once the transaction is committed.
async fn announce(tx: &mut SystemTx) -> Result<(), DatabaseError> {
    sqlx::query("select pg_notify('signing_keys_changed', '')")
        .execute(tx)
        .await?;
    Ok(())
}
