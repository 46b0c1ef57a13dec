//! A second factor is given up.

use axum::extract::State;
use http::StatusCode;
use tenantry_app::accounts;

use super::refusal;
use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor};

/// Removes the second factor and its recovery codes.
#[utoipa::path(
    delete, path = "/me/second-factor/totp", tag = "accounts", security(("session" = [])),
    responses(
        (status = 204, description = "Removed: the password alone signs in"),
        (status = 403, description = "`step_up_required`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`second_factor_not_set_up`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`second_factor_in_demand`: an organization requires it", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::accounts) async fn remove_totp(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<StatusCode, Problem> {
    accounts::remove_totp(&state.app, &signed_in.session, &visitor)
        .await
        .map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}
