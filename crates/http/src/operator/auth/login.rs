//! An operator signs in.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::header::SET_COOKIE;
use tenantry_app::accounts::{self, Visitor};
use tenantry_domain::accounts::{Email, Password};

use super::session::OperatorSessionView;
use crate::{
    AppState, Problem, ValidJson,
    accounts::{
        login::{LoginRequest, refusal},
        visitor::AtTheDoor,
    },
    cookie::SessionCookie,
    csrf,
};

/// Signs an operator in.
#[utoipa::path(
    post, path = "/auth/login", tag = "operator", request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = OperatorSessionView),
        (status = 401, description = "`invalid_credentials`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_login(
    State(state): State<AppState>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<LoginRequest>,
) -> Result<Response, Problem> {
    let (email, password) = request.credentials()?;
    sign_in(&state, &email, password, &visitor).await
}

/// What every sign-in of an operator goes through.
pub(super) async fn sign_in(
    state: &AppState,
    email: &Email,
    password: Password,
    visitor: &Visitor,
) -> Result<Response, Problem> {
    let started = accounts::sign_in_operator(&state.app, email, password, visitor)
        .await
        .map_err(refusal)?;
    let cookie = SessionCookie::Operator.set(&started.secret, started.cookie_expires_at, state.app.clock.now());
    let view = OperatorSessionView::new(&started.session, csrf::token(&started.secret));
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(view)).into_response())
}
