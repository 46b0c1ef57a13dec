//! An operator signs out.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{StatusCode, header::SET_COOKIE};
use tenantry_app::accounts;

use crate::{
    AppState, Problem,
    accounts::visitor::AtTheDoor,
    authorization::{Operator, Viewer},
    cookie::SessionCookie,
};

/// Ends the present operator's session.
#[utoipa::path(
    post, path = "/auth/logout", tag = "operator", security(("operator" = [])),
    responses((status = 204, description = "Signed out; the cookie is gone"))
)]
pub(super) async fn operator_logout(
    State(state): State<AppState>,
    operator: Operator<Viewer>,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<Response, Problem> {
    accounts::sign_out_operator(&state.app, &operator.session, &visitor).await?;
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, SessionCookie::Operator.clear())]),
    )
        .into_response())
}
