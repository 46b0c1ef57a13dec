//! Programs that people sign in to with their account here.

use tenantry_domain::ids::{OrganizationId, TenantId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A client as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ClientRow {
    /// Its id: the product's key.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// Where browsers may be sent after signing in.
    pub redirect_uris: Vec<String>,
    /// Where browsers may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// SHA-256 of its secret; a public client has none.
    pub secret_hash: Option<Vec<u8>>,
}

/// A client to register, or to change.
#[derive(Debug, Clone)]
pub struct NewClient<'a> {
    /// The product, whose key is the client's id.
    pub product: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// Where browsers may be sent after signing in.
    pub redirect_uris: &'a [String],
    /// Where browsers may be sent after signing out.
    pub post_logout_redirect_uris: &'a [String],
    /// Whether it keeps the secret that it has.
    pub keeps_secret: bool,
}

/// The client of this id, unless it or its product is retired.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, client_id: &str) -> Result<Option<ClientRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select c.client_id, c.name, c.redirect_uris, c.post_logout_redirect_uris, c.secret_hash
         from oidc_clients c join products p on p.key = c.product
         where c.client_id = $1 and c.retired_at is null and p.retired_at is null",
    )
    .bind(client_id)
    .fetch_optional(tx)
    .await?)
}

/// Registers or changes a client; says whether it has a secret now.
///
/// # Errors
/// The database's.
pub async fn put(tx: &mut SystemTx, client: &NewClient<'_>) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "insert into oidc_clients (client_id, product, name, redirect_uris, post_logout_redirect_uris)
         values ($1, $1, $2, $3, $4)
         on conflict (client_id) do update set name = excluded.name, redirect_uris = excluded.redirect_uris,
             post_logout_redirect_uris = excluded.post_logout_redirect_uris, retired_at = null,
             secret_hash = case when $5 then oidc_clients.secret_hash end
         returning secret_hash is not null",
    )
    .bind(client.product)
    .bind(client.name)
    .bind(client.redirect_uris)
    .bind(client.post_logout_redirect_uris)
    .bind(client.keeps_secret)
    .fetch_one(tx)
    .await?)
}

/// Gives a client a secret in place of any before; says whether there is such a client.
///
/// # Errors
/// The database's.
pub async fn set_secret(tx: &mut SystemTx, client_id: &str, hash: &[u8; 32]) -> Result<bool, DatabaseError> {
    let changed = sqlx::query("update oidc_clients set secret_hash = $2 where client_id = $1 and retired_at is null")
        .bind(client_id)
        .bind(hash.as_slice())
        .execute(tx)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Nobody signs in to this product any more.
///
/// # Errors
/// The database's.
pub async fn retire(tx: &mut SystemTx, product: &str) -> Result<(), DatabaseError> {
    sqlx::query(
        "update oidc_clients set retired_at = now(), secret_hash = null where product = $1 and retired_at is null",
    )
    .bind(product)
    .execute(tx)
    .await?;
    Ok(())
}

/// The tenant of a product that answers under this host, and whose it is.
///
/// # Errors
/// The database's.
pub async fn find_tenant(
    tx: &mut SystemTx,
    product: &str,
    host: &str,
) -> Result<Option<(TenantId, OrganizationId)>, DatabaseError> {
    let row: Option<(Uuid, Uuid)> = sqlx::query_as(
        "select t.id, t.organization_id from domains d
         join tenants t on t.organization_id = d.organization_id and t.id = d.tenant_id
         where d.host = $1 and t.product = $2 and t.state <> 'deleted'",
    )
    .bind(host)
    .bind(product)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(tenant, organization)| (TenantId::from_uuid(tenant), OrganizationId::from_uuid(organization))))
}
