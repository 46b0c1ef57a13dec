//! An operator chooses another password.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::{self, OperatorPasswordError};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use crate::{
    AppState, Problem, ValidJson,
    accounts::{register::weak_password, visitor::AtTheDoor},
    authorization::{Operator, Viewer},
    body::rules,
    problem::kinds,
    rate_limit::{self, RateLimit},
};

/// The present password and the next.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOperatorPasswordRequest {
    /// The operator's password until now.
    #[garde(custom(rules::password))]
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub current_password: SecretString,
    /// Hard to guess; the password-strength endpoint says how hard.
    #[garde(custom(rules::new_password))]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 1024)]
    pub password: SecretString,
}

/// Changes your password as an operator.
///
/// Ends your other sessions, and every sign-in that was begun with the old one.
#[utoipa::path(
    post, path = "/auth/password", tag = "operator", security(("operator" = [])), request_body = ChangeOperatorPasswordRequest,
    responses(
        (status = 204, description = "The password is changed"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_change_password(
    State(state): State<AppState>,
    operator: Operator<Viewer>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ChangeOperatorPasswordRequest>,
) -> Result<(RateLimit, StatusCode), Problem> {
    let current = Password::enter(&request.current_password)
        .map_err(|error| Problem::field("/current_password", error.code(), error.to_string()))?;
    let password = Password::choose(&request.password)
        .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    let left = accounts::change_operator_password(&state.app, &operator.session, current, password, &visitor)
        .await
        .map_err(|error| match error {
            OperatorPasswordError::Unknown => Problem::of(kinds::UNAUTHENTICATED),
            OperatorPasswordError::WrongPassword(left) => Problem::field(
                "/current_password",
                "password_wrong",
                "This is not your present password.",
            )
            .rate_limit(RateLimit(left)),
            OperatorPasswordError::WeakPassword(strength) => weak_password("/password", &strength),
            OperatorPasswordError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            OperatorPasswordError::Fault(fault) => fault.into(),
        })?;
    Ok((RateLimit(left), StatusCode::NO_CONTENT))
}
