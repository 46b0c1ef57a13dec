//! Somebody signs out.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{StatusCode, header::SET_COOKIE};
use tenantry_app::accounts;

use super::visitor::AtTheDoor;
use crate::{AppState, Problem, authorization::Leaving, cookie::SessionCookie};

/// Ends the present session.
#[utoipa::path(
    post, path = "/auth/logout", tag = "accounts", security(("session" = [])),
    responses((status = 204, description = "Signed out; the cookie is gone"))
)]
pub(super) async fn logout(
    State(state): State<AppState>,
    Leaving(signed_in): Leaving,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<Response, Problem> {
    accounts::sign_out(&state.app, &signed_in.session, &visitor).await?;
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, SessionCookie::User.clear())]),
    )
        .into_response())
}
