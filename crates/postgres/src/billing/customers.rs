//! Organizations as the provider's customers.

use tenantry_domain::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// What the provider is told about an organization, and what it calls it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CustomerRow {
    /// The organization's name.
    pub name: String,
    /// Where invoices go: its owner's address.
    pub email: Option<String>,
    /// The provider's identifier, once it is there.
    pub provider_id: Option<String>,
    /// When the organization was made.
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// One organization's entry.
///
/// # Errors
/// The database.
pub async fn find(tx: &mut SystemTx, organization: OrganizationId) -> Result<Option<CustomerRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select o.name, o.created_at, ( \
             select u.email_normalized from memberships m join users u on u.id = m.user_id \
             where m.organization_id = o.id and m.role = 'owner') as email, \
             c.provider_id \
         from organizations o left join billing_customers c on c.organization_id = o.id where o.id = $1",
    )
    .bind(organization.uuid())
    .fetch_optional(&mut *tx)
    .await?)
}

/// The organizations of an owner that the provider knows.
///
/// # Errors
/// The database.
pub async fn list_owned(tx: &mut SystemTx, owner: UserId) -> Result<Vec<OrganizationId>, DatabaseError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select m.organization_id from memberships m join billing_customers c on c.organization_id = m.organization_id
         where m.user_id = $1 and m.role = 'owner' order by m.organization_id",
    )
    .bind(owner.uuid())
    .fetch_all(&mut *tx)
    .await?;
    Ok(ids.into_iter().map(OrganizationId::from_uuid).collect())
}

/// Notes what the provider calls an organization, and says what it is known by: the first name that was noted counts.
///
/// # Errors
/// The database.
pub async fn set_provider_id(
    tx: &mut SystemTx,
    organization: OrganizationId,
    provider_id: &str,
) -> Result<String, DatabaseError> {
    Ok(sqlx::query_scalar(
        "insert into billing_customers as c (organization_id, provider_id) values ($1, $2) \
         on conflict (organization_id) do update set provider_id = coalesce(c.provider_id, excluded.provider_id) \
         returning provider_id",
    )
    .bind(organization.uuid())
    .bind(provider_id)
    .fetch_one(&mut *tx)
    .await?)
}

/// One purchase at a time for each organization, until the transaction ends.
///
/// # Errors
/// The database.
pub async fn lock_purchases(tx: &mut SystemTx, organization: OrganizationId) -> Result<(), DatabaseError> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('tenantry purchase ' || $1::text, 0))")
        .bind(organization.uuid())
        .execute(&mut *tx)
        .await?;
    Ok(())
}
