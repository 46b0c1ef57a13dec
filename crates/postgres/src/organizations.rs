//! Statements about organizations, their slugs and their members.

pub mod security;

use chrono::{DateTime, Utc};
use tenantry_domain::{
    ids::{OrganizationId, UserId},
    organizations::Role,
};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx, UserTx};

/// An organization as one of its members sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRow {
    /// The organization.
    pub organization: OrganizationId,
    /// Its present slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The name as lists are ordered by it.
    pub name_key: String,
    /// What the member is in it.
    pub role: Role,
    /// From when on its members need a second factor; `None` where they do not.
    pub second_factor_required_from: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    slug: String,
    name: String,
    name_key: String,
    role: String,
    second_factor_required_from: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for MembershipRow {
    type Error = DatabaseError;

    fn try_from(row: Row) -> Result<Self, DatabaseError> {
        Ok(Self {
            organization: OrganizationId::from_uuid(row.id),
            slug: row.slug,
            name: row.name,
            name_key: row.name_key,
            role: row.role.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            second_factor_required_from: row.second_factor_required_from,
            created_at: row.created_at,
        })
    }
}

/// Makes an organization with its owner. The slug comes apart, see [`insert_slug`].
///
/// # Errors
/// The database's.
pub async fn insert(
    tx: &mut SystemTx,
    id: OrganizationId,
    name: &str,
    owner: UserId,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query("insert into organizations (id, name, created_at) values ($1, $2, $3)")
        .bind(id.uuid())
        .bind(name)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    sqlx::query("insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, 'owner', $3)")
        .bind(id.uuid())
        .bind(owner.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Gives an organization its slug; `false` when somebody has or had it.
///
/// # Errors
/// The database's.
pub async fn insert_slug(
    tx: &mut SystemTx,
    organization: OrganizationId,
    slug: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let inserted = sqlx::query(
        "insert into organization_slugs (slug, organization_id, is_current, created_at) values ($1, $2, true, $3)
         on conflict (slug) do nothing",
    )
    .bind(slug)
    .bind(organization.uuid())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// How many organizations a user owns; `None` for somebody who was erased. The user's row stays locked until the
/// transaction ends, so that of several attempts at once each sees what the one before it made, and nobody is erased
/// meanwhile.
///
/// # Errors
/// The database's.
pub async fn count_owned(tx: &mut SystemTx, user: UserId) -> Result<Option<i64>, DatabaseError> {
    let locked = sqlx::query("select id from users where id = $1 and deleted_at is null for no key update")
        .bind(user.uuid())
        .execute(&mut *tx)
        .await?;
    if locked.rows_affected() == 0 {
        return Ok(None);
    }
    Ok(
        sqlx::query_scalar("select count(*) from memberships where user_id = $1 and role = 'owner'")
            .bind(user.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// The user's membership in one organization.
///
/// # Errors
/// The database's.
pub async fn find_membership(
    tx: &mut UserTx,
    user: UserId,
    organization: OrganizationId,
) -> Result<Option<MembershipRow>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select o.id, s.slug, o.name, lower(o.name) as name_key, m.role, o.second_factor_required_from, o.created_at
         from memberships m
         join organizations o on o.id = m.organization_id
         join organization_slugs s on s.organization_id = o.id and s.is_current
         where m.user_id = $1 and o.id = $2 and o.state <> 'erased'",
    )
    .bind(user.uuid())
    .bind(organization.uuid())
    .fetch_optional(tx)
    .await?;
    row.map(MembershipRow::try_from).transpose()
}

/// The user's membership in the organization that has or had this slug.
///
/// # Errors
/// The database's.
pub async fn find_membership_by_slug(
    tx: &mut UserTx,
    user: UserId,
    slug: &str,
) -> Result<Option<MembershipRow>, DatabaseError> {
    let row: Option<Row> = sqlx::query_as(
        "select o.id, s.slug, o.name, lower(o.name) as name_key, m.role, o.second_factor_required_from, o.created_at
         from organization_slugs named
         join memberships m on m.organization_id = named.organization_id
         join organizations o on o.id = m.organization_id
         join organization_slugs s on s.organization_id = o.id and s.is_current
         where m.user_id = $1 and named.slug = $2 and o.state <> 'erased'",
    )
    .bind(user.uuid())
    .bind(slug)
    .fetch_optional(tx)
    .await?;
    row.map(MembershipRow::try_from).transpose()
}

/// Which part of a user's organizations to list.
#[derive(Debug, Clone, Copy)]
pub struct MembershipPage<'a> {
    /// Name (in lower case) and id of the last one on the page before.
    pub after: Option<(&'a str, OrganizationId)>,
    /// A part of the name.
    pub search: Option<&'a str>,
    /// How many at most.
    pub limit: i64,
}

/// A user's organizations by name.
///
/// # Errors
/// The database's.
pub async fn list_memberships(
    tx: &mut UserTx,
    user: UserId,
    page: MembershipPage<'_>,
) -> Result<Vec<MembershipRow>, DatabaseError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select o.id, s.slug, o.name, lower(o.name) as name_key, m.role, o.second_factor_required_from, o.created_at
         from memberships m
         join organizations o on o.id = m.organization_id
         join organization_slugs s on s.organization_id = o.id and s.is_current
         where m.user_id = $1 and o.state <> 'erased'
             and ($2::text is null or (lower(o.name), o.id) > ($2, $3::uuid))
             and ($4::text is null or position(lower($4) in lower(o.name)) > 0)
         order by lower(o.name), o.id
         limit $5",
    )
    .bind(user.uuid())
    .bind(page.after.map(|(name, _)| name))
    .bind(page.after.map(|(_, id)| id.uuid()))
    .bind(page.search)
    .bind(page.limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(MembershipRow::try_from).collect()
}

/// The organization of a slug, also of one that it had before; for operators, who have no membership.
///
/// # Errors
/// When the database fails.
pub async fn find_by_slug(tx: &mut SystemTx, slug: &str) -> Result<Option<OrganizationId>, DatabaseError> {
    let id: Option<uuid::Uuid> = sqlx::query_scalar("select organization_id from organization_slugs where slug = $1")
        .bind(slug)
        .fetch_optional(tx)
        .await?;
    Ok(id.map(OrganizationId::from_uuid))
}

/// Whether there is such an organization.
///
/// # Errors
/// When the database fails.
pub async fn is_there(tx: &mut SystemTx, organization: OrganizationId) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from organizations where id = $1)")
            .bind(organization.uuid())
            .fetch_one(tx)
            .await?,
    )
}
