//! The organizations that a user belongs to.

use axum::{Json, extract::State};
use tenantry_app::organizations::{self, Page};
use tenantry_domain::ids::OrganizationId;

use super::OrganizationSummary;
use crate::{AppState, Paging, Problem, SignedIn, page_of};

const LIST: &str = "organizations";

page_of!(
    OrganizationPage,
    OrganizationSummary,
    "One page of the caller's organizations, by name."
);

/// Lists the caller's organizations by name.
#[utoipa::path(
    get, path = "/organizations", tag = "organizations", security(("session" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = OrganizationPage))
)]
pub(super) async fn list_organizations(
    State(state): State<AppState>,
    signed_in: SignedIn,
    paging: Paging,
) -> Result<Json<OrganizationPage>, Problem> {
    let after: Option<(String, OrganizationId)> = paging.after(&state, LIST)?;
    let page = Page {
        after: after.as_ref().map(|(name, id)| (name.as_str(), *id)),
        search: paging.search.as_deref(),
        limit: paging.fetch(),
    };
    let rows = organizations::list(&state.app, signed_in.session.user, page).await?;
    let (rows, next_cursor) = paging.finish(&state, LIST, rows, |row| (row.name_key.clone(), row.organization));
    Ok(Json(OrganizationPage {
        items: rows.iter().map(OrganizationSummary::from).collect(),
        next_cursor,
    }))
}
