//! An operator whose password was right shows a code.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use tenantry_app::accounts;

use super::session::{self, OperatorSessionView};
use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login_second_factor::{SecondFactorRequest, refusal},
        visitor::AtTheDoor,
    },
    rate_limit::RateLimit,
};

/// Signs an operator in.
#[utoipa::path(
    post, path = "/auth/login/second-factor", tag = "operator", request_body = SecondFactorRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = OperatorSessionView),
        (status = 401, description = "`code_invalid`: wrong, or used before", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`challenge_expired`: answered, too old, or five codes were wrong", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_login_second_factor(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<SecondFactorRequest>,
) -> Result<Response, Problem> {
    let (challenge, code) = request.parts()?;
    let (started, left) = accounts::sign_in_operator_with_second_factor(&state.app, &challenge, &code, &visitor)
        .await
        .map_err(refusal)?;
    let view = OperatorSessionView::of_started(&started);
    Ok((RateLimit(left), session::cookies(&state, &started), Json(view)).into_response())
}
