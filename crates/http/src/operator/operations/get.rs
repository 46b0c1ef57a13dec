//! One operation, with what its tenant's owner does not see.

use axum::{Json, extract::State};
use tenantry_app::provisioning::{self, Reader};
use tenantry_domain::ids::OperationId;

use crate::{AppState, Operator, PathId, Problem, problem::kinds, provisioning::views::Operation};

/// One operation with its steps, and errors in the words of other programs.
#[utoipa::path(
    get, path = "/operations/{operation}", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "The operation", body = Operation))
)]
pub(super) async fn operator_get_operation(
    State(state): State<AppState>,
    _operator: Operator,
    PathId(operation): PathId<OperationId>,
) -> Result<Json<Operation>, Problem> {
    let view = provisioning::find_operation(&state.app, Reader::Operator, operation)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    Ok(Json(Operation::new(view, Reader::Operator)))
}
