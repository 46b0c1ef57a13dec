//! An operator has an operation tried again.

use axum::{extract::State, response::Response};
use tenantry_app::provisioning;
use tenantry_domain::ids::OperationId;

use crate::{
    AppState, Operator, PathId, Problem, TraceContext, authorization::Support, operator::tenants::accepted,
    provisioning::views::Operation,
};

/// Resumes an operation that is stuck; starts another one for what gave up.
#[utoipa::path(
    post, path = "/operations/{operation}/retry", tag = "operator", security(("operator" = [])),
    responses(
        (status = 202, description = "The operation that is at work now; `Location` is where it is followed", body = Operation),
        (status = 409, description = "`operation_in_progress`, `nothing_to_retry`, `not_entitled`, `tenant_state`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_retry_operation(
    State(state): State<AppState>,
    operator: Operator<Support>,
    trace: TraceContext,
    PathId(operation): PathId<OperationId>,
) -> Result<Response, Problem> {
    let operation =
        provisioning::retry_operation(&state.app, operation, &operator.actor(), Some(&trace.traceparent())).await?;
    accepted(&state, operation).await
}
