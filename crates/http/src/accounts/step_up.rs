//! Somebody proves again who they are, before an act that cannot be taken back.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, Proof, StepUpError};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use super::{login_second_factor, problems, visitor::AtTheDoor};
use crate::{
    AppState, Problem, SignedIn, ValidJson,
    body::rules,
    rate_limit::{self, RateLimit},
};

/// One of the two: with a second factor a code, without one the password.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUpRequest {
    /// The password.
    #[garde(inner(custom(rules::password)))]
    #[schema(value_type = Option<String>, format = "password", max_length = 1024)]
    pub password: Option<SecretString>,
    /// Six digits of an authenticator app, or a recovery code.
    #[garde(inner(custom(rules::second_factor_code)))]
    #[schema(value_type = Option<String>, max_length = 50, example = "492039")]
    pub code: Option<SecretString>,
}

impl StepUpRequest {
    fn proof(&self) -> Result<Proof, Problem> {
        if let Some(text) = &self.code {
            return login_second_factor::code(text).map(Proof::Code);
        }
        let text = self.password.as_ref().ok_or_else(|| {
            Problem::field(
                "/password",
                "required",
                "Send the password, or a code of the second factor.",
            )
        })?;
        Password::enter(text)
            .map(Proof::Password)
            .map_err(|error| Problem::field("/password", error.code(), error.to_string()))
    }
}

/// Proves anew who holds the session; this counts for ten minutes.
#[utoipa::path(
    post, path = "/auth/step-up", tag = "accounts", security(("session" = [])), request_body = StepUpRequest,
    responses(
        (status = 204, description = "Proved"),
        (status = 401, description = "`invalid_credentials` for a wrong password, `code_invalid` for a wrong code", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; `/code` is `required` where there is a second factor", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn step_up(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<StepUpRequest>,
) -> Result<(RateLimit, StatusCode), Problem> {
    let left = accounts::step_up(&state.app, &signed_in.session, request.proof()?, &visitor)
        .await
        .map_err(|error| match error {
            StepUpError::PasswordWrong(left) => Problem::new(
                problems::INVALID_CREDENTIALS,
                "The password is wrong. Type it again, or reset it.",
            )
            .rate_limit(RateLimit(left)),
            StepUpError::CodeInvalid(left) => Problem::of(problems::CODE_INVALID).rate_limit(RateLimit(left)),
            StepUpError::CodeRequired => Problem::field(
                "/code",
                "required",
                "Your account has a second factor: send one of its codes.",
            ),
            StepUpError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            StepUpError::Fault(fault) => fault.into(),
        })?;
    Ok((RateLimit(left), StatusCode::NO_CONTENT))
}
