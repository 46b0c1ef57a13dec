//! A disabled operator may sign in again.

use axum::{Json, extract::State};
use tenantry_app::accounts;
use tenantry_domain::ids::OperatorId;

use super::{list::OperatorAccountView, refusal};
use crate::{AppState, ClientAddress, Operator, PathId, Problem, authorization::Admin, operator::users::caretaker};

/// Lets a disabled operator sign in again, with password and second factor as they were.
#[utoipa::path(
    post, path = "/operators/{operator}/enable", tag = "operator", security(("operator" = [])),
    responses(
        (status = 200, description = "The operator, who may sign in", body = OperatorAccountView),
        (status = 409, description = "`operator_is_yourself`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_enable_operator(
    State(state): State<AppState>,
    operator: Operator<Admin>,
    address: ClientAddress,
    PathId(enabled): PathId<OperatorId>,
) -> Result<Json<OperatorAccountView>, Problem> {
    let account = accounts::enable_operator(&state.app, enabled, caretaker(&operator, address))
        .await
        .map_err(refusal)?;
    Ok(Json(account.into()))
}
