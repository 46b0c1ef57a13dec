//! Operators manage each other.

mod disable;
mod enable;
mod list;
pub mod problems;
mod role;

use tenantry_app::accounts::ManageOperatorError;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, Problem, problem::kinds};

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::operator_list_operators))
        .routes(routes!(disable::operator_disable_operator))
        .routes(routes!(enable::operator_enable_operator))
        .routes(routes!(role::operator_set_role))
}

fn refusal(error: ManageOperatorError) -> Problem {
    match error {
        ManageOperatorError::Unknown => Problem::of(kinds::NOT_FOUND),
        ManageOperatorError::Yourself => Problem::of(problems::OPERATOR_IS_YOURSELF),
        ManageOperatorError::LastAdmin => Problem::of(problems::LAST_ADMIN),
        ManageOperatorError::NotAdmin => Problem::of(kinds::ROLE_TOO_SMALL),
        ManageOperatorError::Fault(fault) => fault.into(),
    }
}
