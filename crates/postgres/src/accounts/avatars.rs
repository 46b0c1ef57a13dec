//! Pictures of people, in their own scope.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::UserId;

use crate::{DatabaseError, UserTx};

/// A picture, decoded and encoded again before it came here.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AvatarRow {
    /// `image/png` or `image/jpeg`.
    pub content_type: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub sha256: Vec<u8>,
}

/// The user's picture.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut UserTx, user: UserId) -> Result<Option<AvatarRow>, DatabaseError> {
    Ok(
        sqlx::query_as("select content_type, bytes, sha256 from user_avatars where user_id = $1")
            .bind(user.uuid())
            .fetch_optional(tx)
            .await?,
    )
}

/// Sets or replaces the picture.
///
/// # Errors
/// The database's.
pub async fn set(tx: &mut UserTx, user: UserId, avatar: &AvatarRow, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into user_avatars (user_id, content_type, bytes, sha256, updated_at) values ($1, $2, $3, $4, $5)
         on conflict (user_id) do update set content_type = excluded.content_type, bytes = excluded.bytes,
             sha256 = excluded.sha256, updated_at = excluded.updated_at",
    )
    .bind(user.uuid())
    .bind(&avatar.content_type)
    .bind(&avatar.bytes)
    .bind(&avatar.sha256)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes the picture; `false` when there was none.
///
/// # Errors
/// The database's.
pub async fn delete(tx: &mut UserTx, user: UserId) -> Result<bool, DatabaseError> {
    let deleted = sqlx::query("delete from user_avatars where user_id = $1")
        .bind(user.uuid())
        .execute(tx)
        .await?;
    Ok(deleted.rows_affected() == 1)
}
