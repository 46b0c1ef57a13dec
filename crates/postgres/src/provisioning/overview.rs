//! The figures of the operator's first page, and the operator's list of organizations.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, types::Uuid};

use super::tenants::containing;
use crate::{DatabaseError, SystemTx};

/// How many of what.
#[derive(Debug, Clone, FromRow)]
pub struct Counts {
    /// Operations that wait for a person.
    pub operations_stuck: i64,
    /// Operations that gave up and undid their steps.
    pub operations_failed: i64,
    /// Events of the payment provider that are not settled.
    pub inbox_pending: i64,
    /// Events that could not be applied.
    pub inbox_failed: i64,
    /// Organizations that are not being deleted.
    pub organizations: i64,
    /// Namespaces with our label that belong to no tenant.
    pub unknown_namespaces: Vec<String>,
}

/// Counts everything but tenants.
///
/// # Errors
/// When the database fails.
pub async fn counts(tx: &mut SystemTx) -> Result<Counts, DatabaseError> {
    let counts = sqlx::query_as(
        "select (select count(*) from operations where state = 'stuck') as operations_stuck, \
           (select count(*) from operations where state = 'undone') as operations_failed, \
           (select count(*) from stripe_events where state = 'received') as inbox_pending, \
           (select count(*) from stripe_events where state = 'failed') as inbox_failed, \
           (select count(*) from organizations where state = 'active') as organizations, \
           (select unknown_namespaces from installation) as unknown_namespaces",
    )
    .fetch_one(tx)
    .await?;
    Ok(counts)
}

/// How many tenants are in each state that has any.
///
/// # Errors
/// When the database fails.
pub async fn tenants_by_state(tx: &mut SystemTx) -> Result<Vec<(String, i64)>, DatabaseError> {
    let rows = sqlx::query_as("select state, count(*) from tenants group by state")
        .fetch_all(tx)
        .await?;
    Ok(rows)
}

/// An organization in the operator's list.
#[derive(Debug, Clone, FromRow)]
pub struct OrganizationRow {
    /// Its identifier.
    pub id: Uuid,
    /// Its current slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Tenants that are not deleted.
    pub tenants: i64,
}

/// Organizations, newest first; `search` is part of a name or slug.
///
/// # Errors
/// When the database fails.
pub async fn organizations(
    tx: &mut SystemTx,
    search: Option<&str>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<OrganizationRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    let rows = sqlx::query_as(
        "select o.id, coalesce(s.slug, '') as slug, o.name, o.created_at, \
           (select count(*) from tenants t where t.organization_id = o.id and t.state <> 'deleted') as tenants \
         from organizations o left join organization_slugs s on s.organization_id = o.id and s.is_current \
         where ($1::text is null or o.name ilike $1 or s.slug ilike $1) \
           and ($2::timestamptz is null or (o.created_at, o.id) < ($2, $3)) \
         order by o.created_at desc, o.id desc limit $4",
    )
    .bind(search.map(containing))
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Slug and name of organizations, for lists of their things.
///
/// # Errors
/// When the database fails.
pub async fn names_of(tx: &mut SystemTx, ids: &[Uuid]) -> Result<Vec<(Uuid, String, String)>, DatabaseError> {
    let rows = sqlx::query_as(
        "select o.id, coalesce(s.slug, ''), o.name \
         from organizations o left join organization_slugs s on s.organization_id = o.id and s.is_current \
         where o.id = any($1)",
    )
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}
