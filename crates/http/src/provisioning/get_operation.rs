//! One operation on a tenant of an organization.

use axum::{Json, extract::State};
use tenantry_app::provisioning;
use tenantry_domain::ids::OperationId;

use super::views::Operation;
use crate::{AppState, Authorized, PathId, Problem, authorization::permission::TenantsRead, problem::kinds};

/// One operation with its steps.
#[utoipa::path(
    get, path = "/organizations/{organization}/operations/{operation}", tag = "tenants", security(("session" = [])),
    responses((status = 200, description = "The operation", body = Operation))
)]
pub(super) async fn get_operation(
    State(state): State<AppState>,
    caller: Authorized<TenantsRead>,
    PathId(operation): PathId<OperationId>,
) -> Result<Json<Operation>, Problem> {
    let view = provisioning::find_operation(&state.app, caller.reader(), operation)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    Ok(Json(Operation::new(view, caller.reader())))
}
