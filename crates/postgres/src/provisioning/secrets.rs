//! Rows of `sealed_secrets` that belong to tenants. Only ciphertext passes here.

use sqlx::{Executor, FromRow, Postgres};
use tenantry_domain::ids::{OrganizationId, TenantId};
use uuid::Uuid;

use crate::DatabaseError;

/// What the owner of these rows is.
pub const SCOPE: &str = "tenant";

/// A secret as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct SealedSecret {
    /// Its name, unique for the tenant.
    pub name: String,
    /// Which master key wraps the key.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The secret.
    pub ciphertext: Vec<u8>,
}

/// Stores a secret unless one of that name is stored already: the first one made is the one that counts.
///
/// # Errors
/// When the database fails.
pub async fn insert_if_absent<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    tenant: TenantId,
    organization: OrganizationId,
    secret: &SealedSecret,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into sealed_secrets (id, scope, owner_id, organization_id, name, key_id, wrapped_key, ciphertext) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (scope, owner_id, name) do nothing",
    )
    .persistent(false)
    .bind(Uuid::now_v7())
    .bind(SCOPE)
    .bind(tenant.uuid())
    .bind(organization.uuid())
    .bind(&secret.name)
    .bind(&secret.key_id)
    .bind(&secret.wrapped_key)
    .bind(&secret.ciphertext)
    .execute(tx)
    .await?;
    Ok(())
}

/// All secrets of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn list<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    tenant: TenantId,
) -> Result<Vec<SealedSecret>, DatabaseError> {
    let secrets = sqlx::query_as(
        "select name, key_id, wrapped_key, ciphertext from sealed_secrets \
         where scope = $1 and owner_id = $2 order by name",
    )
    .persistent(false)
    .bind(SCOPE)
    .bind(tenant.uuid())
    .fetch_all(tx)
    .await?;
    Ok(secrets)
}

/// Destroys all secrets of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn destroy<'c>(tx: impl Executor<'c, Database = Postgres>, tenant: TenantId) -> Result<(), DatabaseError> {
    sqlx::query("delete from sealed_secrets where scope = $1 and owner_id = $2")
        .persistent(false)
        .bind(SCOPE)
        .bind(tenant.uuid())
        .execute(tx)
        .await?;
    Ok(())
}
