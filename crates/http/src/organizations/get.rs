//! One organization, as a member sees it.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::{billing::subscriptions, organizations::Membership};
use tenantry_domain::organizations::Permission;
use utoipa::ToSchema;

use super::Role;
use crate::{AppState, Authorized, Problem, authorization::permission::OrganizationRead, billing::views::Subscription};

/// Subscriptions that come along; whoever has more finds them in the list of subscriptions.
const SHOWN_SUBSCRIPTIONS: i64 = 20;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub struct OrganizationView {
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
    /// What the caller may do in it.
    #[schema(example = json!(["organization.read", "tenants.read"]))]
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its newest subscriptions; empty for those who may not see them.
    pub subscriptions: Vec<Subscription>,
}

impl OrganizationView {
    pub(super) fn new(membership: &Membership, subscriptions: Vec<Subscription>) -> Self {
        Self {
            id: membership.organization.to_string(),
            slug: membership.slug.clone(),
            name: membership.name.clone(),
            role: membership.role.into(),
            permissions: membership
                .role
                .permissions()
                .into_iter()
                .map(|permission| permission.code().to_owned())
                .collect(),
            created_at: membership.created_at,
            subscriptions,
        }
    }
}

/// One organization of the caller's.
#[utoipa::path(
    get, path = "/organizations/{organization}", tag = "organizations", security(("session" = [])),
    responses((status = 200, description = "The organization", body = OrganizationView))
)]
pub(super) async fn get_organization(
    State(state): State<AppState>,
    caller: Authorized<OrganizationRead>,
) -> Result<Json<OrganizationView>, Problem> {
    let contracts = if caller.membership.role.may(Permission::BillingRead) {
        subscriptions::list(&state.app, caller.organization(), None, SHOWN_SUBSCRIPTIONS).await?
    } else {
        Vec::new()
    };
    let subscriptions = contracts.into_iter().map(Subscription::from).collect();
    Ok(Json(OrganizationView::new(&caller.membership, subscriptions)))
}
