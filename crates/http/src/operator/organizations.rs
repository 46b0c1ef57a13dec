//! All customers.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::provisioning;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{AppState, Operator, Paging, Problem, page_of};

const LIST: &str = "operator organizations";

/// A customer in the operator's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorOrganization {
    /// The organization.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its tenants that are not deleted.
    pub tenants: i64,
}

page_of!(
    OperatorOrganizationPage,
    OperatorOrganization,
    "One page of customers, newest first."
);

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(operator_list_organizations))
}

/// Lists all customers, newest first.
#[utoipa::path(
    get, path = "/organizations", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = OperatorOrganizationPage))
)]
async fn operator_list_organizations(
    State(state): State<AppState>,
    _operator: Operator,
    paging: Paging,
) -> Result<Json<OperatorOrganizationPage>, Problem> {
    let after = paging.after::<(DateTime<Utc>, Uuid)>(&state, LIST)?;
    let rows = provisioning::list_organizations(&state.app, paging.search.as_deref(), after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, LIST, rows, |row| (row.created_at, row.id.uuid()));
    let items = rows
        .into_iter()
        .map(|row| OperatorOrganization {
            id: row.id.to_string(),
            slug: row.slug,
            name: row.name,
            created_at: row.created_at,
            tenants: row.tenants,
        })
        .collect();
    Ok(Json(OperatorOrganizationPage { items, next_cursor }))
}
