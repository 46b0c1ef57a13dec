//! The installation's own row, and the clusters that it knows.

use tenantry_domain::ids::{ClusterId, InstallationId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// Name of the cluster that tenants are placed on unless there are several.
const DEFAULT_CLUSTER: &str = "default";

/// Which installation this database belongs to.
///
/// # Errors
/// When the database fails or is not migrated.
pub async fn id(tx: &mut SystemTx) -> Result<InstallationId, DatabaseError> {
    let id: Uuid = sqlx::query_scalar("select id from installation").fetch_one(tx).await?;
    Ok(InstallationId::from_uuid(id))
}

/// Keeps which namespaces the latest comparison found that belong to no tenant.
///
/// # Errors
/// When the database fails.
pub async fn set_unknown_namespaces(tx: &mut SystemTx, names: &[String]) -> Result<(), DatabaseError> {
    // Each comparison asks, and next to none finds anything new.
    sqlx::query("update installation set unknown_namespaces = $1 where unknown_namespaces <> $1")
        .bind(names)
        .execute(tx)
        .await?;
    Ok(())
}

/// The cluster for a new tenant: the first that the ledger knows; a fresh ledger gets one.
///
/// # Errors
/// When the database fails.
pub async fn cluster_for_new_tenant(tx: &mut SystemTx) -> Result<ClusterId, DatabaseError> {
    let known: Option<Uuid> = sqlx::query_scalar("select id from clusters order by created_at, id limit 1")
        .fetch_optional(&mut *tx)
        .await?;
    let id =
        match known {
            Some(id) => id,
            None => sqlx::query_scalar(
                "insert into clusters (id, name) values ($1, $2) on conflict (name) do update set name = excluded.name \
                 returning id",
            )
            .bind(Uuid::now_v7())
            .bind(DEFAULT_CLUSTER)
            .fetch_one(tx)
            .await?,
        };
    Ok(ClusterId::from_uuid(id))
}
