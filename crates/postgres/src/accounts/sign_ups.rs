//! Sign-ups that wait for their mail to be answered.

use chrono::{DateTime, Utc};

use crate::{DatabaseError, SystemTx};

/// A sign-up to remember.
#[derive(Debug, Clone)]
pub struct NewSignUp<'a> {
    /// SHA-256 of the token in the mail.
    pub token_hash: &'a [u8; 32],
    /// The address in normal form.
    pub email: &'a str,
    /// The hash of the password chosen.
    pub password_hash: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The organization to create.
    pub organization_name: &'a str,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When the link stops working.
    pub expires_at: DateTime<Utc>,
    /// SHA-256 of the secret that the browser keeps which signed up.
    pub browser_hash: &'a [u8; 32],
    /// Set at once when the address already has an account: nothing can be confirmed then.
    pub voided_at: Option<DateTime<Utc>>,
}

/// A sign-up that was confirmed just now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ConfirmedSignUp {
    /// The address in normal form.
    pub email_normalized: String,
    /// The hash of the password chosen.
    pub password_hash: String,
    /// The person's name.
    pub name: String,
    /// The organization to create.
    pub organization_name: String,
}

/// Remembers a sign-up.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut SystemTx, sign_up: &NewSignUp<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sign_ups
             (token_hash, email_normalized, password_hash, name, organization_name, created_at, expires_at, voided_at,
              browser_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(sign_up.token_hash.as_slice())
    .bind(sign_up.email)
    .bind(sign_up.password_hash)
    .bind(sign_up.name)
    .bind(sign_up.organization_name)
    .bind(sign_up.created_at)
    .bind(sign_up.expires_at)
    .bind(sign_up.voided_at)
    .bind(sign_up.browser_hash.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// What stands behind a link, whether or not it still works.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SentSignUp {
    /// The address in normal form.
    pub email_normalized: String,
    /// The hash of the password chosen.
    pub password_hash: String,
    /// The person's name.
    pub name: String,
    /// The organization to create.
    pub organization_name: String,
    /// SHA-256 of the secret that the browser keeps which signed up.
    pub browser_hash: Option<Vec<u8>>,
    /// Whether the link still works.
    pub works: bool,
}

/// The sign-up with this token; `None` when there never was one.
///
/// # Errors
/// The database's.
pub async fn find(
    tx: &mut SystemTx,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<SentSignUp>, DatabaseError> {
    Ok(sqlx::query_as(
        "select email_normalized, password_hash, name, organization_name, browser_hash,
             confirmed_at is null and voided_at is null and expires_at > $2 as works
         from sign_ups where token_hash = $1",
    )
    .bind(token_hash.as_slice())
    .bind(now)
    .fetch_optional(tx)
    .await?)
}

/// Repeats the newest sign-up of an address that still waits and was made from this browser, under another token; `false`
/// when there is none. One statement either way. Somebody else's is never repeated: whoever signs up with the address
/// after its owner would have the owner confirm a password that is not theirs.
///
/// # Errors
/// The database's.
pub async fn repeat(
    tx: &mut SystemTx,
    token_hash: &[u8; 32],
    email: &str,
    browser_hash: Option<&[u8; 32]>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let repeated = sqlx::query(
        "insert into sign_ups
             (token_hash, email_normalized, password_hash, name, organization_name, browser_hash, created_at, expires_at)
         select $1, email_normalized, password_hash, name, organization_name, browser_hash, $3, $4 from sign_ups
         where email_normalized = $2 and browser_hash = $5 and confirmed_at is null and voided_at is null
             and expires_at > $3
         order by created_at desc limit 1",
    )
    .bind(token_hash.as_slice())
    .bind(email)
    .bind(now)
    .bind(expires_at)
    .bind(browser_hash.map(<[u8; 32]>::as_slice))
    .execute(tx)
    .await?;
    Ok(repeated.rows_affected() == 1)
}

/// Locks every sign-up of the address that this token was sent to, always in the same order: two links of one address
/// that are confirmed in the same moment wait for each other instead of standing in each other's way.
///
/// # Errors
/// The database's.
pub async fn lock_address(tx: &mut SystemTx, token_hash: &[u8; 32]) -> Result<(), DatabaseError> {
    sqlx::query(
        "select from sign_ups
         where email_normalized = (select email_normalized from sign_ups where token_hash = $1)
         order by token_hash for update",
    )
    .bind(token_hash.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// Confirms the sign-up with this token, if it still waits. Of several calls at once, one gets it.
///
/// # Errors
/// The database's.
pub async fn confirm(
    tx: &mut SystemTx,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<ConfirmedSignUp>, DatabaseError> {
    Ok(sqlx::query_as(
        "update sign_ups set confirmed_at = $2
         where token_hash = $1 and confirmed_at is null and voided_at is null and expires_at > $2
         returning email_normalized, password_hash, name, organization_name",
    )
    .bind(token_hash.as_slice())
    .bind(now)
    .fetch_optional(tx)
    .await?)
}

/// Makes every other sign-up of an address worthless.
///
/// # Errors
/// The database's.
pub async fn void_others(tx: &mut SystemTx, email: &str, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query(
        "update sign_ups set voided_at = $2
         where email_normalized = $1 and confirmed_at is null and voided_at is null",
    )
    .bind(email)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
