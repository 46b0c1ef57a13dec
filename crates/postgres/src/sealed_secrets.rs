//! Sealed secrets, by what owns them. Only ciphertext passes here.

use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A secret as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedSecret {
    /// Its name, unique for its owner.
    pub name: String,
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
        "select name, key_id, wrapped_key, ciphertext from sealed_secrets \
         where scope = $1 and owner_id = $2 and name = $3",
    )
    .bind(scope)
    .bind(owner)
    .bind(name)
    .fetch_optional(&mut *tx)
    .await?)
}

/// Stores a secret unless one of that name is stored already: the first one made is the one that counts.
///
/// # Errors
/// The database.
pub async fn insert_if_absent(
    tx: &mut SystemTx,
    scope: &str,
    owner: Uuid,
    secret: &SealedSecret,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sealed_secrets (id, scope, owner_id, name, key_id, wrapped_key, ciphertext) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (scope, owner_id, name) do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(scope)
    .bind(owner)
    .bind(&secret.name)
    .bind(&secret.key_id)
    .bind(&secret.wrapped_key)
    .bind(&secret.ciphertext)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
