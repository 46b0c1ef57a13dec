//! The link in the mail to an account's new address is confirmed.

use axum::extract::State;
use http::StatusCode;
use secrecy::ExposeSecret;
use tenantry_app::accounts::{self, ConfirmEmailError, OpaqueToken};

use super::{problems, verify_email::VerifyEmailRequest, visitor::AtTheDoor};
use crate::{AppState, Problem, ValidJson};

/// Gives an account the address that the link was sent to.
///
/// Both addresses are told. Sessions stay; links that the former address was sent do nothing any more.
#[utoipa::path(
    post, path = "/auth/confirm-email", tag = "accounts", request_body = VerifyEmailRequest,
    responses(
        (status = 204, description = "The account has the new address"),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, older than a day, replaced by a newer one, or somebody else has the address by now", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn confirm_email(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<VerifyEmailRequest>,
) -> Result<StatusCode, Problem> {
    let token =
        OpaqueToken::decode(request.token.expose_secret()).ok_or_else(|| Problem::of(problems::LINK_UNKNOWN))?;
    accounts::confirm_email(&state.app, &token, &visitor)
        .await
        .map_err(|error| match error {
            ConfirmEmailError::Expired => Problem::of(problems::LINK_EXPIRED),
            ConfirmEmailError::Unknown => Problem::of(problems::LINK_UNKNOWN),
            ConfirmEmailError::Fault(fault) => fault.into(),
        })?;
    Ok(StatusCode::NO_CONTENT)
}
