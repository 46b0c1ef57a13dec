//! All sessions end but the present one.

use axum::extract::State;
use http::StatusCode;
use tenantry_app::accounts;

use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor};

/// Ends all of the caller's other sessions, at once.
#[utoipa::path(
    post, path = "/me/sessions/end-others", tag = "accounts", security(("session" = [])),
    responses((status = 204, description = "Ended"))
)]
pub(in crate::accounts) async fn end_other_sessions(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<StatusCode, Problem> {
    accounts::end_other_sessions(&state.app, &signed_in.session, &visitor).await?;
    Ok(StatusCode::NO_CONTENT)
}
