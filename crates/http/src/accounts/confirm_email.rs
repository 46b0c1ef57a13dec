//! The link in the mail to an account's new address is confirmed.

use axum::extract::State;
use http::StatusCode;
use tenantry_app::accounts::{self, ConfirmEmailError};

use super::{problems, sign_up_link::LinkRequest, visitor::AtTheDoor};
use crate::{AppState, Problem, ValidJson};

/// Gives an account the address that the link was sent to.
///
/// Both addresses are told. Sessions stay; links that the former address was sent do nothing any more.
#[utoipa::path(
    post, path = "/auth/confirm-email", tag = "accounts", request_body = LinkRequest,
    responses(
        (status = 204, description = "The account has the new address"),
        (status = 404, description = "`link_unknown`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`link_expired`: used, older than a day, replaced by a newer one, or somebody else has the address by now", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn confirm_email(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<LinkRequest>,
) -> Result<StatusCode, Problem> {
    accounts::confirm_email(&state.app, &request.token()?, &visitor)
        .await
        .map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn refusal(error: ConfirmEmailError) -> Problem {
    match error {
        ConfirmEmailError::Expired => Problem::of(problems::LINK_EXPIRED),
        ConfirmEmailError::Unknown => Problem::of(problems::LINK_UNKNOWN),
        ConfirmEmailError::Fault(fault) => fault.into(),
    }
}
