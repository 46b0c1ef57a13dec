//! Second factors of users and of operators: the same statements on tables of their own.

use chrono::{DateTime, Utc};
use tenantry_domain::{accounts::FactorHolder, ids::UserId};

use crate::{DatabaseError, SystemTx, UserTx};

/// A factor by authenticator app.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TotpFactor {
    /// The secret that counts once `confirmed_at` is set.
    pub sealed_secret: String,
    /// The secret of an app that is to take its place.
    pub replacement: Option<String>,
    /// When the secret that waits for its first code was handed out.
    pub prepared_at: Option<DateTime<Utc>>,
    /// When the first code was shown; before that it asks for nothing.
    pub confirmed_at: Option<DateTime<Utc>>,
}

impl TotpFactor {
    /// The secret that waits for its first code, if it was handed out after `since`.
    #[must_use]
    pub fn pending(&self, since: DateTime<Utc>) -> Option<&str> {
        self.prepared_at.filter(|prepared_at| *prepared_at > since)?;
        match self.confirmed_at {
            None => Some(&self.sealed_secret),
            Some(_) => self.replacement.as_deref(),
        }
    }
}

/// What a page shows of a user's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct FactorStatus {
    /// When it was set up; `None` without one.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
}

/// The factor, confirmed or not.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, holder: FactorHolder) -> Result<Option<TotpFactor>, DatabaseError> {
    let query = match holder {
        FactorHolder::User(_) => sqlx::query_as(
            "select sealed_secret, replacement, prepared_at, confirmed_at from totp_factors where user_id = $1",
        ),
        FactorHolder::Operator(_) => sqlx::query_as(
            "select sealed_secret, null::text as replacement, prepared_at, confirmed_at from operator_totp_factors
             where operator_id = $1",
        ),
    };
    Ok(query.bind(holder.uuid()).fetch_optional(tx).await?)
}

/// Remembers a secret that waits for its first code. A user's that counts already goes on counting until then; an
/// operator's is not replaced.
///
/// # Errors
/// The database's.
pub async fn prepare(
    tx: &mut SystemTx,
    holder: FactorHolder,
    sealed_secret: &str,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let query = match holder {
        FactorHolder::User(_) => sqlx::query(
            "insert into totp_factors as f (user_id, sealed_secret, created_at, prepared_at) values ($1, $2, $3, $3)
             on conflict (user_id) do update
             set sealed_secret = case when f.confirmed_at is null then $2 else f.sealed_secret end,
                 replacement = case when f.confirmed_at is null then null else $2 end, prepared_at = $3",
        ),
        FactorHolder::Operator(_) => sqlx::query(
            "insert into operator_totp_factors as f (operator_id, sealed_secret, created_at, prepared_at)
             values ($1, $2, $3, $3)
             on conflict (operator_id) do update set sealed_secret = $2, prepared_at = $3 where f.confirmed_at is null",
        ),
    };
    query
        .bind(holder.uuid())
        .bind(sealed_secret)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes the pending secret count, its code of `step` being used; `false` when another secret is pending by now.
///
/// # Errors
/// The database's.
pub async fn confirm(
    tx: &mut SystemTx,
    holder: FactorHolder,
    pending: &str,
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let query = match holder {
        FactorHolder::User(_) => sqlx::query(
            "update totp_factors
             set sealed_secret = $2, replacement = null, prepared_at = null, last_step = $3, confirmed_at = $4
             where user_id = $1 and case when confirmed_at is null then sealed_secret else replacement end = $2",
        ),
        FactorHolder::Operator(_) => sqlx::query(
            "update operator_totp_factors set prepared_at = null, last_step = $3, confirmed_at = $4
             where operator_id = $1 and sealed_secret = $2 and confirmed_at is null",
        ),
    };
    let confirmed = query
        .bind(holder.uuid())
        .bind(pending)
        .bind(step)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(confirmed.rows_affected() == 1)
}

/// Uses a step up, and all before it; `false` when it was used already. Of many at once only one is told `true`.
///
/// # Errors
/// The database's.
pub async fn use_step(tx: &mut SystemTx, holder: FactorHolder, step: i64) -> Result<bool, DatabaseError> {
    let query = match holder {
        FactorHolder::User(_) => sqlx::query(
            "update totp_factors set last_step = $2
             where user_id = $1 and last_step < $2 and confirmed_at is not null",
        ),
        FactorHolder::Operator(_) => sqlx::query(
            "update operator_totp_factors set last_step = $2
             where operator_id = $1 and last_step < $2 and confirmed_at is not null",
        ),
    };
    let used = query.bind(holder.uuid()).bind(step).execute(tx).await?;
    Ok(used.rows_affected() == 1)
}

/// Removes the factor and its recovery codes; `false` when there was none that counted.
///
/// # Errors
/// The database's.
pub async fn remove(tx: &mut SystemTx, holder: FactorHolder) -> Result<bool, DatabaseError> {
    let (codes, factor) = match holder {
        FactorHolder::User(_) => (
            sqlx::query("delete from recovery_codes where user_id = $1"),
            sqlx::query_scalar("delete from totp_factors where user_id = $1 returning confirmed_at is not null"),
        ),
        FactorHolder::Operator(_) => (
            sqlx::query("delete from operator_recovery_codes where operator_id = $1"),
            sqlx::query_scalar(
                "delete from operator_totp_factors where operator_id = $1 returning confirmed_at is not null",
            ),
        ),
    };
    codes.bind(holder.uuid()).execute(&mut *tx).await?;
    let counted: Option<bool> = factor.bind(holder.uuid()).fetch_optional(tx).await?;
    Ok(counted.unwrap_or(false))
}

/// Puts new recovery codes in the place of all that there were.
///
/// # Errors
/// The database's.
pub async fn replace_recovery_codes(
    tx: &mut SystemTx,
    holder: FactorHolder,
    hashes: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let (old, new) = match holder {
        FactorHolder::User(_) => (
            sqlx::query("delete from recovery_codes where user_id = $1"),
            sqlx::query(
                "insert into recovery_codes (user_id, hash, created_at)
                 select $1::uuid, hash, $3::timestamptz from unnest($2::bytea[]) hash",
            ),
        ),
        FactorHolder::Operator(_) => (
            sqlx::query("delete from operator_recovery_codes where operator_id = $1"),
            sqlx::query(
                "insert into operator_recovery_codes (operator_id, hash, created_at)
                 select $1::uuid, hash, $3::timestamptz from unnest($2::bytea[]) hash",
            ),
        ),
    };
    old.bind(holder.uuid()).execute(&mut *tx).await?;
    new.bind(holder.uuid()).bind(hashes).bind(now).execute(tx).await?;
    Ok(())
}

/// Uses a recovery code up; `false` when there is none such, or it was used. Of many at once only one is told `true`.
///
/// # Errors
/// The database's.
pub async fn use_recovery_code(
    tx: &mut SystemTx,
    holder: FactorHolder,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let query = match holder {
        FactorHolder::User(_) => {
            sqlx::query("update recovery_codes set used_at = $3 where user_id = $1 and hash = $2 and used_at is null")
        }
        FactorHolder::Operator(_) => sqlx::query(
            "update operator_recovery_codes set used_at = $3 where operator_id = $1 and hash = $2 and used_at is null",
        ),
    };
    let used = query
        .bind(holder.uuid())
        .bind(hash.as_slice())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(used.rows_affected() == 1)
}

/// What there is, as its owner sees it.
///
/// # Errors
/// The database's.
pub async fn status(tx: &mut UserTx, user: UserId) -> Result<FactorStatus, DatabaseError> {
    Ok(sqlx::query_as(
        "select (select confirmed_at from totp_factors where user_id = $1) as confirmed_at,
                (select count(*) from recovery_codes where user_id = $1 and used_at is null) as recovery_codes_left",
    )
    .bind(user.uuid())
    .fetch_one(tx)
    .await?)
}
