//! One tenant of an organization.

use axum::{Json, extract::State};
use tenantry_app::provisioning;
use tenantry_domain::ids::TenantId;

use super::views::{OrganizationReference, Tenant};
use crate::{AppState, Authorized, PathId, Problem, authorization::permission::TenantsRead, problem::kinds};

/// One tenant with its operations.
#[utoipa::path(
    get, path = "/organizations/{organization}/tenants/{tenant}", tag = "tenants", security(("session" = [])),
    responses((status = 200, description = "The tenant", body = Tenant))
)]
pub(super) async fn get_tenant(
    State(state): State<AppState>,
    caller: Authorized<TenantsRead>,
    PathId(tenant): PathId<TenantId>,
) -> Result<Json<Tenant>, Problem> {
    let view = provisioning::find_tenant(&state.app, caller.reader(), tenant)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let organization = OrganizationReference {
        id: caller.organization().to_string(),
        slug: caller.membership.slug.clone(),
        name: caller.membership.name.clone(),
    };
    Ok(Json(Tenant::new(&state.app, view, organization, caller.reader())))
}
