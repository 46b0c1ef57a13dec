//! Somebody forgot their password, and asks for a link to choose another one.

use axum::{Json, extract::State};
use garde::Validate;
use http::StatusCode;
use serde::Deserialize;
use tenantry_app::accounts::{self, AskForMailError};
use tenantry_domain::accounts::Email;
use utoipa::ToSchema;

use super::{register::Empty, visitor::AtTheDoor};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    rate_limit::{self, RateLimit},
};

/// An address.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPasswordRequest {
    /// Where the mail goes.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
}

/// Sends a link for a new password, which works once and for an hour.
///
/// The answer is the same whether the address has an account or not; the mail tells more.
#[utoipa::path(
    post, path = "/auth/forgot-password", tag = "accounts", request_body = ForgotPasswordRequest,
    responses(
        (status = 202, description = "A mail is on its way", body = Empty),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn forgot_password(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ForgotPasswordRequest>,
) -> Result<(StatusCode, RateLimit, Json<Empty>), Problem> {
    let email =
        Email::parse(&request.email).map_err(|error| Problem::field("/email", error.code(), error.to_string()))?;
    let left = accounts::forgot_password(&state.app, &email, &visitor)
        .await
        .map_err(|error| match error {
            AskForMailError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            AskForMailError::Fault(fault) => fault.into(),
        })?;
    Ok((StatusCode::ACCEPTED, RateLimit(left), Json(Empty {})))
}
