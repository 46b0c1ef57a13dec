//! Somebody has followed the link for a new password, and has chosen one.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::{StatusCode, header::SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenantry_app::accounts::{self, OpaqueToken, ResetPasswordError};
use tenantry_domain::accounts::Password;
use utoipa::ToSchema;

use super::{problems, register::weak_password, visitor::AtTheDoor};
use crate::{
    AppState, Problem, ValidJson,
    body::rules,
    cookie::SessionCookie,
    rate_limit::{self, RateLimit},
};

/// The token behind the `#` of the link, and a new password.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPasswordRequest {
    /// The token.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
    /// Hard to guess; the password-strength endpoint says how hard.
    #[garde(custom(rules::new_password))]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 1024)]
    pub password: SecretString,
}

/// Sets a new password by a link.
///
/// Ends every session of the account, and makes every other link for a new password worthless. Nobody is signed in by it; the
/// browser is known to the account from now on, so that strangers who guess at it do not keep its owner out.
#[utoipa::path(
    post, path = "/auth/reset-password", tag = "accounts", request_body = ResetPasswordRequest,
    responses(
        (status = 204, description = "The password is set"),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, older than an hour, or the password was changed since", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reset_password(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ResetPasswordRequest>,
) -> Result<Response, Problem> {
    let token =
        OpaqueToken::decode(request.token.expose_secret()).ok_or_else(|| Problem::of(problems::LINK_UNKNOWN))?;
    let password = Password::choose(&request.password)
        .map_err(|error| Problem::field("/password", error.code(), error.to_string()))?;
    let (browser, left) = accounts::reset_password(&state.app, &token, password, &visitor)
        .await
        .map_err(|error| match error {
            ResetPasswordError::Expired => Problem::of(problems::LINK_EXPIRED),
            ResetPasswordError::Unknown => Problem::of(problems::LINK_UNKNOWN),
            ResetPasswordError::WeakPassword(strength, left) => {
                weak_password("/password", &strength).rate_limit(RateLimit(left))
            }
            ResetPasswordError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            ResetPasswordError::Fault(fault) => fault.into(),
        })?;
    let cookie = SessionCookie::Device.set(&browser.secret, browser.expires_at, state.app.clock.now());
    Ok((
        StatusCode::NO_CONTENT,
        RateLimit(left),
        AppendHeaders([(SET_COOKIE, cookie)]),
    )
        .into_response())
}
