//! What is left of a user who deleted their account: a row without a person, so that whatever names it still reads.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// An organization that would be left without anybody who answers for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedOrganization {
    /// The organization.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
}

/// Whose account it is, for a last mail.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Leaver {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
}

/// Locks the account until the transaction ends, so that it becomes nobody's owner meanwhile; `None` when it is gone.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &mut SystemTx, user: UserId) -> Result<Option<Leaver>, DatabaseError> {
    Ok(sqlx::query_as(
        "select email_normalized as email, name from users where id = $1 and deleted_at is null for update",
    )
    .bind(user.uuid())
    .fetch_optional(tx)
    .await?)
}

/// Whether there is such a user, who was not erased.
///
/// # Errors
/// The database's.
pub async fn is_there(tx: &mut SystemTx, user: UserId) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from users where id = $1 and deleted_at is null)")
            .bind(user.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// The organizations that the user owns, by name.
///
/// # Errors
/// The database's.
pub async fn owned_organizations(tx: &mut SystemTx, user: UserId) -> Result<Vec<OwnedOrganization>, DatabaseError> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select o.id, o.name from memberships m join organizations o on o.id = m.organization_id
         where m.user_id = $1 and m.role = 'owner' and o.state <> 'erased' order by lower(o.name), o.id",
    )
    .bind(user.uuid())
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, name)| OwnedOrganization {
            id: OrganizationId::from_uuid(id),
            name,
        })
        .collect())
}

/// Erases everything personal of a user: credentials, factors, picture, devices, sessions with all that hangs on them,
/// links, pending sign-ups, memberships, kept answers. The row stays without name and address, which becomes free.
///
/// # Errors
/// The database's.
pub async fn erase(tx: &mut SystemTx, user: UserId, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    sqlx::query(
        "delete from sign_ups where email_normalized = (select u.email_normalized from users u where u.id = $1)",
    )
    .bind(user.uuid())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "with gone_memberships as (delete from memberships where user_id = $1),
              gone_credentials as (delete from credentials where user_id = $1),
              gone_factors as (delete from totp_factors where user_id = $1),
              gone_codes as (delete from recovery_codes where user_id = $1),
              gone_avatar as (delete from user_avatars where user_id = $1),
              gone_devices as (delete from known_devices where user_id = $1),
              gone_links as (delete from one_time_tokens where user_id = $1),
              gone_challenges as (delete from sign_in_challenges where user_id = $1)
         delete from sessions where user_id = $1",
    )
    .bind(user.uuid())
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from idempotency_keys where principal = $1 and sealed_response is not null")
        .bind(user.to_string())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "update users set email_normalized = 'deleted-' || id || '@deleted.invalid', name = 'Deleted account',
             locale = 'en', time_zone = 'UTC', notifications = '{}', deleted_at = $2
         where id = $1",
    )
    .bind(user.uuid())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
