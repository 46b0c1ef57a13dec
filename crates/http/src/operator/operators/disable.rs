//! An operator may not sign in any more.

use axum::{Json, extract::State};
use tenantry_app::accounts;
use tenantry_domain::ids::OperatorId;

use super::{list::OperatorAccountView, refusal};
use crate::{AppState, ClientAddress, Operator, PathId, Problem, authorization::Admin, operator::users::caretaker};

/// Keeps an operator from signing in, and ends what they have open.
#[utoipa::path(
    post, path = "/operators/{operator}/disable", tag = "operator", security(("operator" = [])),
    responses(
        (status = 200, description = "The operator, disabled", body = OperatorAccountView),
        (status = 409, description = "`operator_is_yourself`, `last_admin`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_disable_operator(
    State(state): State<AppState>,
    operator: Operator<Admin>,
    address: ClientAddress,
    PathId(disabled): PathId<OperatorId>,
) -> Result<Json<OperatorAccountView>, Problem> {
    let account = accounts::disable_operator(&state.app, disabled, caretaker(&operator, address))
        .await
        .map_err(refusal)?;
    Ok(Json(account.into()))
}
