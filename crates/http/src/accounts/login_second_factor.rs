//! Somebody whose password was right shows a code.

use axum::{extract::State, response::Response};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenantry_app::accounts::{self, ChallengeError, OpaqueToken};
use tenantry_domain::accounts::EnteredCode;
use utoipa::ToSchema;

use super::{
    login::{self, SignInAnswer},
    problems,
    visitor::AtTheDoor,
};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    rate_limit::{self, RateLimit},
};

/// A code, and the challenge that it answers.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorRequest {
    /// The token of the challenge.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200, example = "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs")]
    pub challenge: SecretString,
    /// Six digits of an authenticator app, or a recovery code.
    #[garde(custom(rules::second_factor_code))]
    #[schema(value_type = String, max_length = 50, example = "492039")]
    pub code: SecretString,
}

impl SecondFactorRequest {
    pub(crate) fn parts(&self) -> Result<(OpaqueToken, EnteredCode), Problem> {
        Ok((challenge(&self.challenge)?, code(&self.code)?))
    }
}

/// Reads the token of a challenge; what is none never was one.
pub(crate) fn challenge(text: &SecretString) -> Result<OpaqueToken, Problem> {
    OpaqueToken::decode(text.expose_secret()).ok_or_else(|| Problem::of(problems::CHALLENGE_EXPIRED))
}

/// Reads a code of a request whose rules have looked at it.
pub(crate) fn code(text: &SecretString) -> Result<EnteredCode, Problem> {
    EnteredCode::parse(text).map_err(|error| Problem::field("/code", error.code(), error.to_string()))
}

pub(crate) fn refusal(error: ChallengeError) -> Problem {
    match error {
        ChallengeError::CodeInvalid(left) => Problem::of(problems::CODE_INVALID).rate_limit(RateLimit(left)),
        ChallengeError::Expired => Problem::of(problems::CHALLENGE_EXPIRED),
        ChallengeError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
        ChallengeError::Fault(fault) => fault.into(),
    }
}

/// Signs in with a second factor.
#[utoipa::path(
    post, path = "/auth/login/second-factor", tag = "accounts", request_body = SecondFactorRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = SignInAnswer),
        (status = 401, description = "`code_invalid`: wrong, or used before", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`challenge_expired`: answered, too old, or five codes were wrong", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn login_second_factor(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<SecondFactorRequest>,
) -> Result<Response, Problem> {
    let (challenge, code) = request.parts()?;
    let step = accounts::sign_in_with_second_factor(&state.app, &challenge, &code, &visitor)
        .await
        .map_err(refusal)?;
    login::answer(&state, step).await
}
