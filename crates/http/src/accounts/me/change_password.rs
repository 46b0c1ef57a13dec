//! The caller chooses another password.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, ChangePasswordError};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use crate::{
    AppState, Problem, SignedIn, ValidJson,
    accounts::{register::weak_password, visitor::AtTheDoor},
    body::rules,
    rate_limit::{self, RateLimit},
};

/// The present password and the next.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    /// The account's password until now.
    #[garde(custom(rules::password))]
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub current_password: SecretString,
    /// Hard to guess; the password-strength endpoint says how hard.
    #[garde(custom(rules::new_password))]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 1024)]
    pub password: SecretString,
}

/// Changes your password.
///
/// Ends your other sessions. An account with a second factor needs a recent proof as well.
#[utoipa::path(
    post, path = "/me/password", tag = "accounts", security(("session" = [])), request_body = ChangePasswordRequest,
    responses(
        (status = 204, description = "The password is changed"),
        (status = 403, description = "`step_up_required`, or one that any call gets", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ChangePasswordRequest>,
) -> Result<(RateLimit, StatusCode), Problem> {
    let current = Password::enter(&request.current_password)
        .map_err(|error| Problem::field("/current_password", error.code(), error.to_string()))?;
    let password = Password::choose(&request.password)
        .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    let left = accounts::change_password(&state.app, &signed_in.session, current, password, &visitor)
        .await
        .map_err(|error| match error {
            ChangePasswordError::WrongPassword(left) => Problem::field(
                "/current_password",
                "password_wrong",
                "This is not your present password.",
            )
            .rate_limit(RateLimit(left)),
            ChangePasswordError::WeakPassword(strength) => weak_password("/password", &strength),
            ChangePasswordError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            ChangePasswordError::StepUpRequired(missing) => missing.into(),
            ChangePasswordError::Fault(fault) => fault.into(),
        })?;
    Ok((RateLimit(left), StatusCode::NO_CONTENT))
}
