//! `/organizations`: customers, as their members see them.

pub mod create;
pub mod get;
pub mod list;
pub mod problems;
pub mod security;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::organizations::Membership;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_organizations, create::create_organization))
        .routes(routes!(get::get_organization))
        .routes(routes!(
            security::get_organization_security,
            security::put_organization_security
        ))
}

/// What a member is in an organization.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers for everything.
    Owner,
    /// Runs the organization.
    Admin,
    /// Works in it.
    Member,
}

impl From<tenantry_domain::organizations::Role> for Role {
    fn from(role: tenantry_domain::organizations::Role) -> Self {
        match role {
            tenantry_domain::organizations::Role::Owner => Self::Owner,
            tenantry_domain::organizations::Role::Admin => Self::Admin,
            tenantry_domain::organizations::Role::Member => Self::Member,
        }
    }
}

/// An organization in a switcher.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationMembership {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Its name in addresses.
    #[schema(example = "museum-of-examples")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
    /// What the caller is in it.
    pub role: Role,
}

impl From<&Membership> for OrganizationMembership {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.organization.to_string(),
            slug: membership.slug.clone(),
            name: membership.name.clone(),
            role: membership.role.into(),
        }
    }
}

/// An organization in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationSummary {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Its name in addresses.
    #[schema(example = "museum-of-examples")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
    /// What the caller is in it.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<&Membership> for OrganizationSummary {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.organization.to_string(),
            slug: membership.slug.clone(),
            name: membership.name.clone(),
            role: membership.role.into(),
            created_at: membership.created_at,
        }
    }
}
