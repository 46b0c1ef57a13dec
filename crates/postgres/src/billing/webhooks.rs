//! Sealed signing secrets of webhook endpoints.

use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A sealed secret under the name of its endpoint.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedWebhookSecret {
    /// The provider's identifier of the endpoint.
    pub name: String,
    /// Which master key wraps it.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The encrypted secret.
    pub ciphertext: Vec<u8>,
}

/// All of them, newest first.
///
/// # Errors
/// The database.
pub async fn list(tx: &mut SystemTx, scope: &str) -> Result<Vec<SealedWebhookSecret>, DatabaseError> {
    Ok(sqlx::query_as(
        "select name, key_id, wrapped_key, ciphertext from sealed_secrets where scope = $1 \
         order by created_at desc, id desc",
    )
    .bind(scope)
    .fetch_all(&mut *tx)
    .await?)
}

/// Keeps one.
///
/// # Errors
/// The database.
pub async fn insert(
    tx: &mut SystemTx,
    scope: &str,
    owner: Uuid,
    secret: &SealedWebhookSecret,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sealed_secrets (id, scope, owner_id, name, key_id, wrapped_key, ciphertext) \
         values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict (scope, owner_id, name) do update set key_id = excluded.key_id, \
             wrapped_key = excluded.wrapped_key, ciphertext = excluded.ciphertext",
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

/// Removes all but these.
///
/// # Errors
/// The database.
pub async fn delete_others(tx: &mut SystemTx, scope: &str, keep: &[String]) -> Result<(), DatabaseError> {
    sqlx::query("delete from sealed_secrets where scope = $1 and name <> all($2)")
        .bind(scope)
        .bind(keep)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
