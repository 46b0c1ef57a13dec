//! All tenants.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::provisioning::{self, Reader};
use tenantry_postgres::provisioning::tenants::TenantFilter;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    AppState, Operator, Paging, Problem, ValidQuery, page_of,
    provisioning::{
        list_tenants::TenantParameters,
        views::{OrganizationReference, TenantSummary},
    },
};

/// A tenant in the operator's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorTenantSummary {
    /// What its owner's list shows.
    #[serde(flatten)]
    pub summary: TenantSummary,
    /// Whose it is.
    pub organization: OrganizationReference,
}

page_of!(
    OperatorTenantPage,
    OperatorTenantSummary,
    "One page of tenants, newest first."
);

/// Lists all tenants, newest first. `search` is part of a name, host, namespace, or of the customer's name.
#[utoipa::path(
    get, path = "/tenants", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters, TenantParameters),
    responses((status = 200, description = "One page", body = OperatorTenantPage))
)]
pub(super) async fn operator_list_tenants(
    State(state): State<AppState>,
    _operator: Operator,
    paging: Paging,
    ValidQuery(parameters): ValidQuery<TenantParameters>,
) -> Result<Json<OperatorTenantPage>, Problem> {
    let list = format!("operator tenants in {:?}", parameters.state);
    let filter = TenantFilter {
        state: parameters.state.map(Into::into),
        search: paging.search.clone(),
        after: paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?,
        limit: paging.fetch(),
    };
    let rows = provisioning::list_tenants(&state.app, Reader::Operator, &filter).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.created_at, row.id.uuid()));
    let organizations: Vec<_> = rows.iter().map(|row| row.organization).collect();
    let names = provisioning::organization_names(&state.app, &organizations).await?;
    let items = rows
        .into_iter()
        .map(|row| OperatorTenantSummary {
            organization: super::get::reference(row.organization, &names),
            summary: TenantSummary::new(&state.app, row),
        })
        .collect();
    Ok(Json(OperatorTenantPage { items, next_cursor }))
}
