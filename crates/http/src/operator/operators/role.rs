//! An operator may do more, or less.

use axum::{Json, extract::State};
use garde::Validate;
use serde::Deserialize;
use tenantry_app::accounts;
use tenantry_domain::ids::OperatorId;
use utoipa::ToSchema;

use super::{
    list::{OperatorAccountView, OperatorRole},
    refusal,
};
use crate::{
    AppState, ClientAddress, Operator, PathId, Problem, ValidJson, authorization::Admin, operator::users::caretaker,
};

/// Another role.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorRoleRequest {
    /// What they may do from now on.
    #[garde(skip)]
    pub role: OperatorRole,
}

/// Gives an operator another role, from their next call on.
#[utoipa::path(
    post, path = "/operators/{operator}/role", tag = "operator", security(("operator" = [])),
    request_body = OperatorRoleRequest,
    responses(
        (status = 200, description = "The operator in the new role", body = OperatorAccountView),
        (status = 409, description = "`operator_is_yourself`, `last_admin`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_set_role(
    State(state): State<AppState>,
    operator: Operator<Admin>,
    address: ClientAddress,
    PathId(changed): PathId<OperatorId>,
    ValidJson(request): ValidJson<OperatorRoleRequest>,
) -> Result<Json<OperatorAccountView>, Problem> {
    let by = caretaker(&operator, address);
    let account = accounts::set_operator_role(&state.app, changed, request.role.into(), by)
        .await
        .map_err(refusal)?;
    Ok(Json(account.into()))
}
