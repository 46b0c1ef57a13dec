//! How soon a password would be guessed, asked while somebody types it.

use axum::Json;
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts;
use utoipa::ToSchema;

use crate::{Problem, ValidJson};

/// A password, and what whoever guesses would try first.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordStrengthRequest {
    /// The password; of any length, so that a page can ask from the first key on.
    #[garde(skip)]
    #[schema(value_type = String, format = "password")]
    pub password: SecretString,
    /// Names and addresses of the same form.
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
#[utoipa::path(
    post, path = "/auth/password-strength", tag = "accounts", request_body = PasswordStrengthRequest,
    responses((status = 200, description = "The estimate", body = PasswordStrength))
)]
pub(super) async fn password_strength(
    ValidJson(request): ValidJson<PasswordStrengthRequest>,
) -> Result<Json<PasswordStrength>, Problem> {
    let estimate = tokio::task::spawn_blocking(move || {
        let inputs: Vec<&str> = request.inputs.iter().map(String::as_str).collect();
        accounts::estimate(request.password.expose_secret(), &inputs)
    })
    .await
    .map_err(Problem::internal)?;
    Ok(Json(PasswordStrength {
        score: estimate.score,
        acceptable: estimate.acceptable,
        reasons: estimate.reasons,
    }))
}
