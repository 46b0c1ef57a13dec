//! The authenticator app of an operator shows its first code.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tenantry_app::accounts;
use utoipa::ToSchema;

use super::session::{self, OperatorSessionView};
use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login_second_factor::{SecondFactorRequest, refusal},
        visitor::AtTheDoor,
    },
    idempotency::ShownOnce,
    rate_limit::RateLimit,
};

/// A session that begins with a new second factor.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorFactorConfirmed {
    /// The session.
    pub session: OperatorSessionView,
    /// Codes to keep on paper, each for once. They are shown this once.
    #[schema(example = json!(["7k2xq-9m4tz"]))]
    pub recovery_codes: Vec<String>,
}

/// Makes the app count from now on, and signs its operator in.
#[utoipa::path(
    post, path = "/auth/second-factor/confirm", tag = "operator", request_body = SecondFactorRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = OperatorFactorConfirmed),
        (status = 401, description = "`code_invalid`: not the prepared app's, or nothing is prepared", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`challenge_expired`: answered, too old, or five codes were wrong", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_confirm_totp(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<SecondFactorRequest>,
) -> Result<Response, Problem> {
    let (challenge, code) = request.parts()?;
    let (started, codes, left) = accounts::confirm_operator_totp(&state.app, &challenge, &code, &visitor)
        .await
        .map_err(refusal)?;
    let confirmed = OperatorFactorConfirmed {
        session: OperatorSessionView::of_started(&started),
        recovery_codes: codes.show(),
    };
    let cookies = session::cookies(&state, &started);
    Ok((RateLimit(left), cookies, ShownOnce(confirmed)).into_response())
}
