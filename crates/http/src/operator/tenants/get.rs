//! One tenant, with what its owner does not see.

use std::collections::HashMap;

use axum::{Json, extract::State};
use serde::Serialize;
use tenantry_app::provisioning::{self, Reader};
use tenantry_domain::ids::{OrganizationId, TenantId};
use utoipa::ToSchema;

use crate::{
    AppState, Operator, PathId, Problem,
    problem::kinds,
    provisioning::views::{OrganizationReference, Tenant},
};

/// A tenant as operators see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorTenant {
    /// What its owner sees, with errors in the words of other programs.
    #[serde(flatten)]
    pub tenant: Tenant,
    /// What is wanted of it: `running`, `suspended` or `deleted`.
    #[schema(example = "running")]
    pub desired: String,
}

/// One tenant with its operations.
#[utoipa::path(
    get, path = "/tenants/{tenant}", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "The tenant", body = OperatorTenant))
)]
pub(super) async fn operator_get_tenant(
    State(state): State<AppState>,
    _operator: Operator,
    PathId(tenant): PathId<TenantId>,
) -> Result<Json<OperatorTenant>, Problem> {
    let view = provisioning::find_tenant(&state.app, Reader::Operator, tenant)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let names = provisioning::organization_names(&state.app, &[view.organization]).await?;
    let organization = reference(view.organization, &names);
    let desired = view.desired.to_string();
    Ok(Json(OperatorTenant {
        tenant: Tenant::new(&state.app, view, organization, Reader::Operator),
        desired,
    }))
}

pub(super) fn reference(
    id: OrganizationId,
    names: &HashMap<OrganizationId, provisioning::OrganizationName>,
) -> OrganizationReference {
    let known = names.get(&id).cloned().unwrap_or_default();
    OrganizationReference {
        id: id.to_string(),
        slug: known.slug,
        name: known.name,
    }
}
