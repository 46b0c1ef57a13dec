//! Links in mails that let their reader do one thing once. Each is known by the hash of its token.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::UserId;
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Choosing a new password without knowing the old one.
    ResetPassword,
    /// Proving that an account's new address is its owner's.
    ChangeEmail,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }
}

/// A link as it was sent.
#[derive(Debug, Clone)]
pub struct SentLink {
    /// Whose account it changes.
    pub user: UserId,
    /// The address that it was sent to, in normal form.
    pub email: String,
    /// The name of the account's person.
    pub name: String,
    /// Whether it still works.
    pub works: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Uuid,
    email_normalized: String,
    name: String,
    works: bool,
}

/// Remembers a link for a new password, if the address has an account; one statement either way.
///
/// # Errors
/// The database's.
pub async fn insert_for_password(
    tx: &mut SystemTx,
    hash: &[u8; 32],
    email: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<Option<UserId>, DatabaseError> {
    let user: Option<Uuid> = sqlx::query_scalar(
        "insert into one_time_tokens (hash, purpose, email_normalized, user_id, created_at, expires_at)
         select $1, 'reset_password', email_normalized, id, $3, $4 from users
         where email_normalized = $2 and deleted_at is null
         returning user_id",
    )
    .bind(hash.as_slice())
    .bind(email)
    .bind(now)
    .bind(expires_at)
    .fetch_optional(tx)
    .await?;
    Ok(user.map(UserId::from_uuid))
}

/// Remembers a link that proves a user's new address.
///
/// # Errors
/// The database's.
pub async fn insert_for_email(
    tx: &mut SystemTx,
    hash: &[u8; 32],
    user: UserId,
    email: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into one_time_tokens (hash, purpose, email_normalized, user_id, created_at, expires_at)
         values ($1, 'change_email', $2, $3, $4, $5)",
    )
    .bind(hash.as_slice())
    .bind(email)
    .bind(user.uuid())
    .bind(now)
    .bind(expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// The link with this token, whether or not it still works.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut SystemTx,
    hash: &[u8; 32],
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<SentLink>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select t.user_id, t.email_normalized, u.name, t.used_at is null and t.expires_at > $3 as works
         from one_time_tokens t join users u on u.id = t.user_id and u.deleted_at is null
         where t.hash = $1 and t.purpose = $2",
    )
    .bind(hash.as_slice())
    .bind(purpose.as_str())
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| SentLink {
        user: UserId::from_uuid(row.user_id),
        email: row.email_normalized,
        name: row.name,
        works: row.works,
    }))
}

/// Uses a link, if it still works. Of several calls at once, one gets it.
///
/// # Errors
/// The database's.
pub async fn spend(
    tx: &mut SystemTx,
    hash: &[u8; 32],
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let spent = sqlx::query(
        "update one_time_tokens set used_at = $3
         where hash = $1 and purpose = $2 and used_at is null and expires_at > $3",
    )
    .bind(hash.as_slice())
    .bind(purpose.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(spent.rows_affected() == 1)
}

/// Makes every link of a user and purpose worthless that was not used yet.
///
/// # Errors
/// The database's.
pub async fn void(tx: &mut SystemTx, user: UserId, purpose: Purpose, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query("update one_time_tokens set used_at = $3 where user_id = $1 and purpose = $2 and used_at is null")
        .bind(user.uuid())
        .bind(purpose.as_str())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
