//! Operators sign in and out by a door of their own.

pub mod first;
pub mod login;
pub mod logout;
pub mod session;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(first::operator_first))
        .routes(routes!(login::operator_login))
        .routes(routes!(logout::operator_logout))
        .routes(routes!(session::get_operator_session))
}
