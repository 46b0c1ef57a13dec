//! One operation, live.

use axum::{extract::State, response::Response};
use tenantry_domain::ids::OperationId;

use super::{
    stream::{LastEventId, stream},
    views::Operation,
};
use crate::{AppState, Authorized, PathId, Problem, authorization::permission::TenantsRead};

/// Streams an operation: an event `operation` with the whole of it at first and at each change, an event `end` when it
/// has ended. Send `Last-Event-ID` to go on where a stream broke off.
#[utoipa::path(
    get, path = "/organizations/{organization}/operations/{operation}/events", tag = "tenants",
    security(("session" = [])),
    responses(
        (status = 200, description = "Events", body = Operation, content_type = "text/event-stream"),
        (status = 429, description = "`too_many_streams`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream_operation(
    State(state): State<AppState>,
    caller: Authorized<TenantsRead>,
    PathId(operation): PathId<OperationId>,
    LastEventId(last): LastEventId,
) -> Result<Response, Problem> {
    stream(&state, caller, operation, last).await
}
