//! Users and their passwords.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use tenantry_domain::{accounts::Notifications, ids::UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What signing in needs to know of a user.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// The stored hash.
    pub password_hash: String,
}

/// Makes a user; `None` when the address already has one.
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut SystemTx,
    id: UserId,
    email: &str,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, DatabaseError> {
    let inserted: Option<Uuid> = sqlx::query_scalar(
        "insert into users (id, email_normalized, name, verified_at, created_at) values ($1, $2, $3, $4, $4)
         on conflict (email_normalized) do nothing returning id",
    )
    .bind(id.uuid())
    .bind(email)
    .bind(name)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(inserted.map(UserId::from_uuid))
}

/// Whether an address has an account.
///
/// # Errors
/// The database's.
pub async fn exists(tx: &mut SystemTx, email: &str) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from users where email_normalized = $1)")
            .bind(email)
            .fetch_one(tx)
            .await?,
    )
}

/// The account with this address.
///
/// # Errors
/// The database's.
pub async fn find_credentials(tx: &mut SystemTx, email: &str) -> Result<Option<Credentials>, DatabaseError> {
    let row: Option<(Uuid, String, String)> = sqlx::query_as(
        "select u.id, u.name, c.password_hash from users u join credentials c on c.user_id = u.id
         where u.email_normalized = $1 and u.deleted_at is null",
    )
    .bind(email)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(id, name, password_hash)| Credentials {
        user: UserId::from_uuid(id),
        name,
        password_hash,
    }))
}

/// Holds an account until the transaction ends: `false` when it is gone. Whoever changes its password or address, or makes
/// its links worthless, holds it before anything else; two who do so at once wait for each other here, and nowhere where
/// each has what the other waits for.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx, user: UserId) -> Result<bool, DatabaseError> {
    let held: Option<i32> =
        sqlx::query_scalar("select 1 from users where id = $1 and deleted_at is null for no key update")
            .bind(user.uuid())
            .fetch_optional(tx)
            .await?;
    Ok(held.is_some())
}

/// Replaces the stored hash, unless it is another one than `before` by now: of two changes at once, one is made.
///
/// # Errors
/// The database's.
pub async fn replace_password_hash(
    tx: &mut SystemTx,
    user: UserId,
    before: &str,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let replaced = sqlx::query(
        "update credentials set password_hash = $3, updated_at = $4 where user_id = $1 and password_hash = $2",
    )
    .bind(user.uuid())
    .bind(before)
    .bind(hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

/// Whether the password of the account still is the one whose hash was compared while no transaction was open. It stays so
/// until this one ends. `stronger` takes the hash's place.
///
/// # Errors
/// The database's.
pub async fn settle_password(
    tx: &mut SystemTx,
    user: UserId,
    verified: &str,
    stronger: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    // The account's row first, as everybody locks them who changes both.
    let is_there: Option<i32> =
        sqlx::query_scalar("select 1 from users where id = $1 and deleted_at is null for key share")
            .bind(user.uuid())
            .fetch_optional(&mut *tx)
            .await?;
    if is_there.is_none() {
        return Ok(false);
    }
    if let Some(stronger) = stronger {
        return replace_password_hash(tx, user, verified, stronger, now).await;
    }
    let is_same: Option<i32> =
        sqlx::query_scalar("select 1 from credentials where user_id = $1 and password_hash = $2 for update")
            .bind(user.uuid())
            .bind(verified)
            .fetch_optional(tx)
            .await?;
    Ok(is_same.is_some())
}

/// Whether a second factor is asked for when the user signs in.
///
/// # Errors
/// The database's.
pub async fn has_second_factor(tx: &mut SystemTx, user: UserId) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from totp_factors where user_id = $1 and confirmed_at is not null)")
            .bind(user.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// Which mails the account with this address wants; `None` when there is none.
///
/// # Errors
/// The database's.
pub async fn find_notifications(tx: &mut SystemTx, email: &str) -> Result<Option<Notifications>, DatabaseError> {
    let stored: Option<Json<Notifications>> =
        sqlx::query_scalar("select notifications from users where email_normalized = $1 and deleted_at is null")
            .bind(email)
            .fetch_optional(tx)
            .await?;
    Ok(stored.map(|stored| stored.0))
}

/// Gives an account another address. Returns the one that it had; `None` when the account is gone.
///
/// # Errors
/// The database's; a conflict on `users_email_normalized_key` when the address has an account.
pub async fn set_email(tx: &mut SystemTx, user: UserId, email: &str) -> Result<Option<String>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "update users u set email_normalized = $2
         from (select id, email_normalized from users where id = $1 and deleted_at is null for update) before
         where u.id = before.id returning before.email_normalized",
    )
    .bind(user.uuid())
    .bind(email)
    .fetch_optional(tx)
    .await?)
}

/// Forgets which browsers the user signed in from.
///
/// # Errors
/// The database's.
pub async fn forget_devices(tx: &mut SystemTx, user: UserId) -> Result<(), DatabaseError> {
    sqlx::query("delete from known_devices where user_id = $1")
        .bind(user.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends every sign-in of the user that still waits for a second factor.
///
/// # Errors
/// The database's.
pub async fn void_challenges(tx: &mut SystemTx, user: UserId) -> Result<(), DatabaseError> {
    sqlx::query("delete from sign_in_challenges where user_id = $1")
        .bind(user.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Sets or replaces the stored hash.
///
/// # Errors
/// The database's.
pub async fn set_password_hash(
    tx: &mut SystemTx,
    user: UserId,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into credentials (user_id, password_hash, updated_at) values ($1, $2, $3)
         on conflict (user_id) do update set password_hash = excluded.password_hash, updated_at = excluded.updated_at",
    )
    .bind(user.uuid())
    .bind(hash)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
