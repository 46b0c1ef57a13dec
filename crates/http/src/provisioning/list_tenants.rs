//! The tenants of an organization.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tenantry_app::provisioning;
use tenantry_postgres::provisioning::tenants::TenantFilter;
use utoipa::IntoParams;
use uuid::Uuid;

use super::views::{TenantState, TenantSummary};
use crate::{AppState, Authorized, Paging, Problem, ValidQuery, authorization::permission::TenantsRead, page_of};

page_of!(TenantPage, TenantSummary, "One page of tenants, newest first.");

/// Which tenants.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TenantParameters {
    /// Only those in this state.
    pub(crate) state: Option<TenantState>,
}

/// Lists the organization's tenants, newest first.
#[utoipa::path(
    get, path = "/organizations/{organization}/tenants", tag = "tenants", security(("session" = [])),
    params(crate::pagination::PageParameters, TenantParameters),
    responses((status = 200, description = "One page", body = TenantPage))
)]
pub(super) async fn list_tenants(
    State(state): State<AppState>,
    caller: Authorized<TenantsRead>,
    paging: Paging,
    ValidQuery(parameters): ValidQuery<TenantParameters>,
) -> Result<Json<TenantPage>, Problem> {
    let list = format!("tenants of {} in {:?}", caller.organization(), parameters.state);
    let filter = TenantFilter {
        state: parameters.state.map(Into::into),
        search: paging.search.clone(),
        after: paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?,
        limit: paging.fetch(),
    };
    let rows = provisioning::list_tenants(&state.app, caller.reader(), &filter).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.created_at, row.id.uuid()));
    let items = rows
        .into_iter()
        .map(|row| TenantSummary::new(&state.app, row))
        .collect();
    Ok(Json(TenantPage { items, next_cursor }))
}
