//! One session ends.

use axum::extract::State;
use http::StatusCode;
use tenantry_app::accounts;
use tenantry_domain::ids::SessionId;

use crate::{AppState, PathId, Problem, SignedIn, accounts::visitor::AtTheDoor, problem::kinds};

/// Ends one of the caller's sessions, at once.
#[utoipa::path(
    delete, path = "/me/sessions/{session}", tag = "accounts", security(("session" = [])),
    responses((status = 204, description = "Ended"))
)]
pub(in crate::accounts) async fn end_session(
    State(state): State<AppState>,
    signed_in: SignedIn,
    PathId(session): PathId<SessionId>,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<StatusCode, Problem> {
    if accounts::end_session(&state.app, &signed_in.session, session, &visitor).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::of(kinds::NOT_FOUND))
    }
}
