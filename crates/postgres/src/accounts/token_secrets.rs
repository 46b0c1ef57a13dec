//! The installation's own secret that successors of refresh tokens are derived with. Only ciphertext passes here.

use tenantry_domain::ids::InstallationId;
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What the owner of the row is.
pub const SCOPE: &str = "refresh_tokens";
const NAME: &str = "successors";

/// The secret as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedTokenSecret {
    /// Which master key wraps the key.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The secret.
    pub ciphertext: Vec<u8>,
}

/// The secret, if one was made.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, installation: InstallationId) -> Result<Option<SealedTokenSecret>, DatabaseError> {
    Ok(sqlx::query_as(
        "select key_id, wrapped_key, ciphertext from sealed_secrets where scope = $1 and owner_id = $2 and name = $3",
    )
    .bind(SCOPE)
    .bind(installation.uuid())
    .bind(NAME)
    .fetch_optional(tx)
    .await?)
}

/// Stores a secret unless there is one: the first that was made counts.
///
/// # Errors
/// The database's.
pub async fn insert_if_absent(
    tx: &mut SystemTx,
    installation: InstallationId,
    secret: &SealedTokenSecret,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sealed_secrets (id, scope, owner_id, name, key_id, wrapped_key, ciphertext)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (scope, owner_id, name) do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(SCOPE)
    .bind(installation.uuid())
    .bind(NAME)
    .bind(&secret.key_id)
    .bind(&secret.wrapped_key)
    .bind(&secret.ciphertext)
    .execute(tx)
    .await?;
    Ok(())
}
