//! An operator has a tenant tried again.

use axum::{extract::State, response::Response};
use tenantry_app::provisioning;
use tenantry_domain::ids::TenantId;

use super::accepted;
use crate::{
    AppState, Operator, PathId, Problem, TraceContext, authorization::Support, provisioning::views::Operation,
};

/// Tries again what failed or is stuck on a tenant.
#[utoipa::path(
    post, path = "/tenants/{tenant}/retry", tag = "operator", security(("operator" = [])),
    responses(
        (status = 202, description = "The operation; `Location` is where it is followed", body = Operation),
        (status = 409, description = "`operation_in_progress`, `nothing_to_retry`, `not_entitled`, `tenant_state`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_retry_tenant(
    State(state): State<AppState>,
    operator: Operator<Support>,
    trace: TraceContext,
    PathId(tenant): PathId<TenantId>,
) -> Result<Response, Problem> {
    let operation = provisioning::retry(&state.app, tenant, &operator.actor(), Some(&trace.traceparent())).await?;
    accepted(&state, operation).await
}
