//! How soon a password would be guessed, asked while somebody types it.

use axum::{Json, extract::State};
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, EstimateError};
use utoipa::ToSchema;

use crate::{
    AppState, ClientAddress, Problem, ValidJson,
    rate_limit::{self, RateLimit},
};

/// A password, and what whoever guesses would try first.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordStrengthRequest {
    /// The password; of any length, so that a page can ask from the first key on. Of a longer one than may be chosen, the
    /// beginning is looked at.
    #[garde(skip)]
    #[schema(value_type = String, format = "password")]
    pub password: SecretString,
    /// Names and addresses of the same form. The first hundred characters of each are looked at.
    #[garde(length(max = 10), inner(length(bytes, max = 1000)))]
    #[serde(default)]
    #[schema(max_items = 10)]
    pub inputs: Vec<String>,
}

/// An estimate.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasswordStrength {
    /// From 0 (guessed at once) to 4.
    #[schema(minimum = 0, maximum = 4)]
    pub score: u8,
    /// Whether it may be chosen.
    pub acceptable: bool,
    /// What is wrong with it and what would help, in sentences.
    pub reasons: Vec<String>,
}

/// Estimates a password. Nothing is kept.
///
/// A page may ask at every pause of whoever types. What one network asks for is counted, together with the passwords that it
/// signs up with.
#[utoipa::path(
    post, path = "/auth/password-strength", tag = "accounts", request_body = PasswordStrengthRequest,
    responses(
        (status = 200, description = "The estimate", body = PasswordStrength),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn password_strength(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    ValidJson(request): ValidJson<PasswordStrengthRequest>,
) -> Result<(RateLimit, Json<PasswordStrength>), Problem> {
    let inputs: Vec<&str> = request.inputs.iter().map(String::as_str).collect();
    let (estimate, left) = accounts::password_strength(&state.app, request.password.expose_secret(), &inputs, address)
        .await
        .map_err(|error| match error {
            EstimateError::TooManyRequests(allowance) => rate_limit::used_up(allowance),
            EstimateError::Fault(fault) => fault.into(),
        })?;
    let strength = PasswordStrength {
        score: estimate.score,
        acceptable: estimate.acceptable,
        reasons: estimate.reasons,
    };
    Ok((RateLimit(left), Json(strength)))
}
