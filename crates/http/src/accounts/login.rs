//! Somebody signs in with address and password.

use axum::{extract::State, response::Response};
use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, SignInError};
use tenantry_domain::accounts::{Email, Password};
use utoipa::ToSchema;

use super::{
    problems,
    session::{SessionView, begin},
    visitor::AtTheDoor,
};
use crate::{AppState, Problem, ValidJson, body::rules, rate_limit};

/// Address and password.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The account's address.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
    /// The account's password.
    #[garde(custom(rules::password))]
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub password: SecretString,
}

impl LoginRequest {
    pub(crate) fn credentials(&self) -> Result<(Email, Password), Problem> {
        let email =
            Email::parse(&self.email).map_err(|error| Problem::field("/email", error.code(), error.to_string()))?;
        let password = Password::enter(&self.password)
            .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
        Ok((email, password))
    }
}

pub(crate) fn refusal(error: SignInError) -> Problem {
    match error {
        SignInError::InvalidCredentials => Problem::of(problems::INVALID_CREDENTIALS),
        SignInError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
        SignInError::Fault(fault) => fault.into(),
    }
}

/// Signs in.
#[utoipa::path(
    post, path = "/auth/login", tag = "accounts", request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = SessionView),
        (status = 401, description = "`invalid_credentials`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn login(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<LoginRequest>,
) -> Result<Response, Problem> {
    let (email, password) = request.credentials()?;
    let started = accounts::sign_in(&state.app, &email, password, &visitor)
        .await
        .map_err(refusal)?;
    begin(&state, &started).await
}
