//! What people say of themselves, in their own scope, or in the system's where a mail goes along with it.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, types::Json};
use tenantry_domain::{
    accounts::{NotificationChange, Notifications},
    ids::UserId,
};
use uuid::Uuid;

use crate::DatabaseError;

/// A person, as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The language they read: a tag of BCP 47.
    pub locale: String,
    /// A name of the IANA time zone database.
    pub time_zone: String,
    /// The SHA-256 of their picture, if they have one.
    pub avatar: Option<Vec<u8>>,
    /// Which mails they want.
    pub notifications: Notifications,
    /// Whether a second factor is asked for when they sign in.
    pub second_factor: bool,
    /// When the account became live.
    pub created_at: DateTime<Utc>,
}

/// What changes; what is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProfileChange<'a> {
    /// Their name.
    pub name: Option<&'a str>,
    /// The language they read.
    pub locale: Option<&'a str>,
    /// Their time zone.
    pub time_zone: Option<&'a str>,
    /// Which mails they want.
    pub notifications: NotificationChange,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    email_normalized: String,
    name: String,
    locale: String,
    time_zone: String,
    avatar: Option<Vec<u8>>,
    notifications: Json<Notifications>,
    second_factor: bool,
    created_at: DateTime<Utc>,
}

/// The profile.
///
/// # Errors
/// The database's; `NotFound` when the account is gone.
pub async fn get(executor: impl PgExecutor<'_>, user: UserId) -> Result<ProfileRow, DatabaseError> {
    let row: Row = sqlx::query_as(
        "select u.id, u.email_normalized, u.name, u.locale, u.time_zone, a.sha256 as avatar, u.notifications,
             exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null) as second_factor,
             u.created_at
         from users u left join user_avatars a on a.user_id = u.id
         where u.id = $1 and u.deleted_at is null",
    )
    .bind(user.uuid())
    .persistent(false)
    .fetch_one(executor)
    .await?;
    Ok(ProfileRow {
        user: UserId::from_uuid(row.id),
        email: row.email_normalized,
        name: row.name,
        locale: row.locale,
        time_zone: row.time_zone,
        avatar: row.avatar,
        notifications: row.notifications.0,
        second_factor: row.second_factor,
        created_at: row.created_at,
    })
}

/// Changes the profile.
///
/// # Errors
/// The database's.
pub async fn update(
    executor: impl PgExecutor<'_>,
    user: UserId,
    change: &ProfileChange<'_>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update users set name = coalesce($2, name), locale = coalesce($3, locale),
             time_zone = coalesce($4, time_zone), notifications = notifications || $5
         where id = $1 and deleted_at is null",
    )
    .bind(user.uuid())
    .bind(change.name)
    .bind(change.locale)
    .bind(change.time_zone)
    .bind(Json(change.notifications))
    .persistent(false)
    .execute(executor)
    .await?;
    Ok(())
}
