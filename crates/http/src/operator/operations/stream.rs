//! One operation, live.

use axum::{extract::State, response::Response};
use tenantry_domain::ids::OperationId;

use crate::{
    AppState, Operator, PathId, Problem,
    provisioning::{
        stream::{LastEventId, stream},
        views::Operation,
    },
};

/// Streams an operation, as the customer's stream does.
#[utoipa::path(
    get, path = "/operations/{operation}/events", tag = "operator", security(("operator" = [])),
    responses(
        (status = 200, description = "Events", body = Operation, content_type = "text/event-stream"),
        (status = 429, description = "`too_many_streams`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_stream_operation(
    State(state): State<AppState>,
    operator: Operator,
    PathId(operation): PathId<OperationId>,
    LastEventId(last): LastEventId,
) -> Result<Response, Problem> {
    stream(&state, operator, operation, last).await
}
