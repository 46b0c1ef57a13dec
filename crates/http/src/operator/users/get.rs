//! One person.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::accounts;
use tenantry_domain::ids::{OrganizationId, UserId};
use utoipa::ToSchema;

use super::{caretaker, list::OperatorUserSummary};
use crate::{AppState, ClientAddress, Operator, PathId, Problem, problem::kinds};

/// What a person is in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorUserOrganization {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Its name in addresses.
    #[schema(example = "museum-of-examples")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
    /// `owner`, `admin` or `member`.
    #[schema(example = "owner")]
    pub role: String,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorUser {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: OperatorUserSummary,
    /// The language of their pages and mails.
    #[schema(example = "en")]
    pub locale: String,
    /// Their IANA time zone.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// When they proved their address.
    pub verified_at: DateTime<Utc>,
    /// The first hundred of their organizations, by name; `organizations` counts all.
    pub memberships: Vec<OperatorUserOrganization>,
}

/// One person, with organizations and roles.
#[utoipa::path(
    get, path = "/users/{user}", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "The person", body = OperatorUser))
)]
pub(super) async fn operator_get_user(
    State(state): State<AppState>,
    operator: Operator,
    address: ClientAddress,
    PathId(user): PathId<UserId>,
) -> Result<Json<OperatorUser>, Problem> {
    let found = accounts::find_user(&state.app, user, caretaker(&operator, address))
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let memberships = found
        .organizations
        .into_iter()
        .map(|row| OperatorUserOrganization {
            id: OrganizationId::from_uuid(row.id).to_string(),
            slug: row.slug,
            name: row.name,
            role: row.role,
            joined_at: row.created_at,
        })
        .collect();
    Ok(Json(OperatorUser {
        summary: found.user.summary.into(),
        locale: found.user.locale,
        time_zone: found.user.time_zone,
        verified_at: found.user.verified_at,
        memberships,
    }))
}
