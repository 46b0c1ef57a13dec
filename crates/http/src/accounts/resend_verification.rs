//! Somebody who signed up waits for the link, and asks for it again.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::header::SET_COOKIE;
use serde::Deserialize;
use tenantry_app::accounts;
use utoipa::ToSchema;

use super::{
    mail_on_its_way::{Empty, MailOnItsWay, address},
    visitor::AtTheDoor,
};
use crate::{AppState, Problem, ValidJson, body::rules, cookie::SessionCookie};

/// An address.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendVerificationRequest {
    /// Where the mail goes.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
}

/// Sends the link of a sign-up again.
///
/// The answer is the same whether a sign-up waits or not; the mail tells more. Only what this browser signed up with, within
/// the last day, is sent again.
#[utoipa::path(
    post, path = "/auth/resend-verification", tag = "accounts", request_body = ResendVerificationRequest,
    responses(
        (status = 202, description = "A mail is on its way", body = Empty),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resend_verification(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ResendVerificationRequest>,
) -> Result<Response, Problem> {
    let (expires_at, left) = accounts::resend_confirmation(&state.app, &address(&request.email)?, &visitor).await?;
    // Kept as long as the link works that was sent now; what the address has to do with it does not show.
    let cookie = visitor
        .sign_up_secret
        .as_ref()
        .map(|secret| SessionCookie::SignUp.set(secret, expires_at, state.app.clock.now()));
    let headers = cookie.map(|cookie| AppendHeaders([(SET_COOKIE, cookie)]));
    Ok((headers, MailOnItsWay(left)).into_response())
}
