//! What organizations ask of their members' accounts.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, OrganizationTx, SystemTx, UserTx};

/// An organization that wants its members to have a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorDemand {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// From when on it lets nobody in without one.
    pub from: DateTime<Utc>,
}

/// The organizations of a user that want a second factor, the earliest first.
///
/// # Errors
/// The database's.
pub async fn list_demands(tx: &mut UserTx, user: UserId) -> Result<Vec<FactorDemand>, DatabaseError> {
    let rows: Vec<(Uuid, String, DateTime<Utc>)> = sqlx::query_as(
        "select o.id, o.name, o.second_factor_required_from
         from memberships m join organizations o on o.id = m.organization_id
         where m.user_id = $1 and o.second_factor_required_from is not null and o.state <> 'erased'
         order by o.second_factor_required_from, o.id
         limit 100",
    )
    .bind(user.uuid())
    .fetch_all(tx)
    .await?;
    let demands = rows.into_iter().map(|(id, name, from)| FactorDemand {
        organization: OrganizationId::from_uuid(id),
        name,
        from,
    });
    Ok(demands.collect())
}

/// From when on members need a second factor; `None` where they do not.
///
/// # Errors
/// The database's.
pub async fn find_demand(
    tx: &mut OrganizationTx,
    organization: OrganizationId,
) -> Result<Option<DateTime<Utc>>, DatabaseError> {
    Ok(
        sqlx::query_scalar("select second_factor_required_from from organizations where id = $1")
            .bind(organization.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// Changes it.
///
/// # Errors
/// The database's.
pub async fn set_demand(
    tx: &mut SystemTx,
    organization: OrganizationId,
    from: Option<DateTime<Utc>>,
) -> Result<(), DatabaseError> {
    sqlx::query("update organizations set second_factor_required_from = $2 where id = $1")
        .bind(organization.uuid())
        .bind(from)
        .execute(tx)
        .await?;
    Ok(())
}
