//! Sign-ins whose password was right and whose second factor is still to come.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    accounts::{FactorHolder, Grant},
    ids::{OperatorId, UserId},
};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A challenge to make.
#[derive(Debug, Clone)]
pub struct NewChallenge<'a> {
    /// SHA-256 of its token.
    pub hash: &'a [u8; 32],
    /// Who has to answer it.
    pub holder: FactorHolder,
    /// What the sign-in asked for.
    pub grant: Grant,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When the password is asked for again.
    pub expires_at: DateTime<Utc>,
}

/// A challenge, and who has to answer it.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Who.
    pub holder: FactorHolder,
    /// Their address.
    pub email: String,
    /// Their name; empty for operators.
    pub name: String,
    /// What the sign-in asked for.
    pub grant: Grant,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Option<Uuid>,
    operator_id: Option<Uuid>,
    email: Option<String>,
    name: Option<String>,
    is_token: bool,
}

impl Row {
    /// `None` for an account that was closed in between.
    fn challenge(self) -> Option<Challenge> {
        let user = self.user_id.map(|id| FactorHolder::User(UserId::from_uuid(id)));
        let operator = self
            .operator_id
            .map(|id| FactorHolder::Operator(OperatorId::from_uuid(id)));
        Some(Challenge {
            holder: user.or(operator)?,
            email: self.email?,
            name: self.name.unwrap_or_default(),
            grant: if self.is_token { Grant::Token } else { Grant::Browser },
        })
    }
}

/// Makes a challenge.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut SystemTx, challenge: &NewChallenge<'_>) -> Result<(), DatabaseError> {
    let (user, operator) = match challenge.holder {
        FactorHolder::User(id) => (Some(id.uuid()), None),
        FactorHolder::Operator(id) => (None, Some(id.uuid())),
    };
    sqlx::query(
        "insert into sign_in_challenges (hash, user_id, operator_id, grant_kind, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(challenge.hash.as_slice())
    .bind(user)
    .bind(operator)
    .bind(challenge.grant.as_str())
    .bind(challenge.created_at)
    .bind(challenge.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whose challenge this is, used or not.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, hash: &[u8; 32]) -> Result<Option<Challenge>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select c.user_id, c.operator_id, coalesce(u.email_normalized, o.email_normalized) as email, u.name,
                c.grant_kind = 'token' as is_token
         from sign_in_challenges c
         left join users u on u.id = c.user_id and u.deleted_at is null
         left join operators o on o.id = c.operator_id and o.disabled_at is null
         where c.hash = $1",
    )
    .bind(hash.as_slice())
    .fetch_optional(tx)
    .await?;
    Ok(row.and_then(Row::challenge))
}

/// Keeps everybody else from answering this challenge until the transaction ends; `false` when it was answered, is too
/// old, or was answered wrongly `tries` times.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx, hash: &[u8; 32], now: DateTime<Utc>, tries: i32) -> Result<bool, DatabaseError> {
    let open: Option<bool> = sqlx::query_scalar(
        "select true from sign_in_challenges
         where hash = $1 and used_at is null and expires_at > $2 and failures < $3
         for update",
    )
    .bind(hash.as_slice())
    .bind(now)
    .bind(tries)
    .fetch_optional(tx)
    .await?;
    Ok(open.is_some())
}

/// Counts a wrong answer.
///
/// # Errors
/// The database's.
pub async fn count_failure(tx: &mut SystemTx, hash: &[u8; 32]) -> Result<(), DatabaseError> {
    sqlx::query("update sign_in_challenges set failures = failures + 1 where hash = $1")
        .bind(hash.as_slice())
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses a challenge up.
///
/// # Errors
/// The database's.
pub async fn finish(tx: &mut SystemTx, hash: &[u8; 32], now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update sign_in_challenges set used_at = $2 where hash = $1")
        .bind(hash.as_slice())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
