//! An operator ends a session of a person.

use axum::extract::State;
use http::StatusCode;
use tenantry_app::accounts;
use tenantry_domain::ids::{SessionId, UserId};

use super::caretaker;
use crate::{AppState, ClientAddress, Operator, PathId, Problem, authorization::Support, problem::kinds};

/// Ends a session: the browser or program is signed out with its next call.
#[utoipa::path(
    delete, path = "/users/{user}/sessions/{session}", tag = "operator", security(("operator" = [])),
    responses((status = 204, description = "Ended"))
)]
pub(super) async fn operator_end_user_session(
    State(state): State<AppState>,
    operator: Operator<Support>,
    address: ClientAddress,
    PathId(user): PathId<UserId>,
    PathId(session): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    let by = caretaker(&operator, address);
    if accounts::end_user_session(&state.app, user, session, by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::of(kinds::NOT_FOUND))
    }
}
