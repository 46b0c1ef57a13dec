//! Every customer's tenants.

pub mod deprovision;
pub mod get;
pub mod list;
pub mod provision;
pub mod retry;

use axum::{
    Json,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{StatusCode, header::LOCATION};
use tenantry_app::provisioning::{self, Reader};
use tenantry_domain::ids::OperationId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, Problem, problem::kinds, provisioning::views::Operation};

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            list::operator_list_tenants,
            provision::operator_provision_tenant
        ))
        .routes(routes!(get::operator_get_tenant))
        .routes(routes!(retry::operator_retry_tenant))
        .routes(routes!(deprovision::operator_deprovision_tenant))
}

/// 202 with the operation and where it is followed.
pub(super) async fn accepted(state: &AppState, operation: OperationId) -> Result<Response, Problem> {
    let view = provisioning::find_operation(&state.app, Reader::Operator, operation)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let location = format!("/api/v1/operator/operations/{operation}");
    let body = Json(Operation::new(view, Reader::Operator));
    Ok((StatusCode::ACCEPTED, AppendHeaders([(LOCATION, location)]), body).into_response())
}
