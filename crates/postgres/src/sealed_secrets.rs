//! Sealed secrets, by what owns them. Only ciphertext passes here.

use tenantry_domain::ids::OrganizationId;
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A secret as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedSecret {
    /// Its name, unique for its owner.
    pub name: String,
    /// What is bound into the ciphertexts.
    pub format: i16,
    /// Which master key wraps the key.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The secret.
    pub ciphertext: Vec<u8>,
}

/// One secret.
///
/// # Errors
/// The database.
pub async fn find(
    tx: &mut SystemTx,
    scope: &str,
    owner: Uuid,
    name: &str,
) -> Result<Option<SealedSecret>, DatabaseError> {
    Ok(sqlx::query_as(
        "select name, format, key_id, wrapped_key, ciphertext from sealed_secrets \
         where scope = $1 and owner_id = $2 and name = $3",
    )
    .bind(scope)
    .bind(owner)
    .bind(name)
    .fetch_optional(&mut *tx)
    .await?)
}

/// All secrets of one owner, newest first.
///
/// # Errors
/// The database.
pub async fn list(tx: &mut SystemTx, scope: &str, owner: Uuid) -> Result<Vec<SealedSecret>, DatabaseError> {
    Ok(sqlx::query_as(
        "select name, format, key_id, wrapped_key, ciphertext from sealed_secrets \
         where scope = $1 and owner_id = $2 order by created_at desc, id desc",
    )
    .bind(scope)
    .bind(owner)
    .fetch_all(&mut *tx)
    .await?)
}

/// Stores a secret unless one of that name is stored already: the first one made is the one that counts.
///
/// # Errors
/// The database.
pub async fn insert_if_absent(
    tx: &mut SystemTx,
    scope: &str,
    organization: Option<OrganizationId>,
    owner: Uuid,
    secret: &SealedSecret,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sealed_secrets \
             (id, scope, owner_id, organization_id, name, format, key_id, wrapped_key, ciphertext) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (scope, owner_id, name) do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(scope)
    .bind(owner)
    .bind(organization.map(OrganizationId::uuid))
    .bind(&secret.name)
    .bind(secret.format)
    .bind(&secret.key_id)
    .bind(&secret.wrapped_key)
    .bind(&secret.ciphertext)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Removes all secrets of an owner but these.
///
/// # Errors
/// The database.
pub async fn delete_others(tx: &mut SystemTx, scope: &str, owner: Uuid, keep: &[String]) -> Result<(), DatabaseError> {
    sqlx::query("delete from sealed_secrets where scope = $1 and owner_id = $2 and name <> all($3)")
        .bind(scope)
        .bind(owner)
        .bind(keep)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
