//! `/auth/…` and `/session`: people sign up, confirm, sign in and out.

pub mod login;
pub mod logout;
pub mod oidc;
pub mod password_strength;
pub mod problems;
pub mod refresh;
pub mod register;
pub mod session;
pub mod verify_email;
pub mod visitor;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(verify_email::verify_email))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(session::get_session))
        .routes(routes!(password_strength::password_strength))
}
