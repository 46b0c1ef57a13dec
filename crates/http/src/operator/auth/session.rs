//! Who the present operator is.

use axum::{Json, response::AppendHeaders};
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, header::SET_COOKIE};
use serde::Serialize;
use tenantry_app::accounts::{self, StartedOperatorSession};
use utoipa::ToSchema;

use crate::{
    AppState,
    authorization::{Operator, Viewer},
    cookie::SessionCookie,
    csrf,
};

/// A person who runs this installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operator)]
pub struct OperatorView {
    /// The operator.
    #[schema(example = "opr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Their address.
    pub email: String,
    /// `viewer`, `support` or `admin`; each may do what those before it may.
    #[schema(example = "admin")]
    pub role: String,
}

/// An operator's session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorSession)]
pub struct OperatorSessionView {
    /// Who is signed in.
    pub operator: OperatorView,
    /// To be sent as `X-CSRF-Token` with every call that changes something.
    pub csrf_token: String,
    /// When the session ends if it is not used again.
    pub expires_at: DateTime<Utc>,
}

impl OperatorSessionView {
    fn new(session: &accounts::OperatorSession, csrf_token: String) -> Self {
        Self {
            operator: OperatorView {
                id: session.operator.to_string(),
                email: session.email.clone(),
                role: session.role.to_string(),
            },
            csrf_token,
            expires_at: session.expires_at,
        }
    }

    /// The view of a session that begins.
    pub(super) fn of_started(started: &StartedOperatorSession) -> Self {
        Self::new(&started.session, csrf::token(&started.secret))
    }
}

/// The cookies of a session that begins.
pub(super) fn cookies(
    state: &AppState,
    started: &StartedOperatorSession,
) -> AppendHeaders<[(HeaderName, HeaderValue); 2]> {
    let now = state.app.clock.now();
    let session = SessionCookie::Operator.set(&started.secret, started.cookie_expires_at, now);
    let device = SessionCookie::OperatorDevice.set(&started.browser.secret, started.browser.expires_at, now);
    AppendHeaders([(SET_COOKIE, session), (SET_COOKIE, device)])
}

/// The present operator's session.
#[utoipa::path(
    get, path = "/session", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "The session", body = OperatorSessionView))
)]
pub(super) async fn get_operator_session(operator: Operator<Viewer>) -> Json<OperatorSessionView> {
    Json(OperatorSessionView::new(&operator.session, operator.csrf_token()))
}
