//! Operators sign in and out by a door of their own.

pub mod change_password;
pub mod confirm_totp;
pub mod first;
pub mod login;
pub mod login_second_factor;
pub mod logout;
pub mod session;
pub mod set_up_totp;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(first::operator_first))
        .routes(routes!(login::operator_login))
        .routes(routes!(login_second_factor::operator_login_second_factor))
        .routes(routes!(set_up_totp::operator_set_up_totp))
        .routes(routes!(confirm_totp::operator_confirm_totp))
        .routes(routes!(logout::operator_logout))
        .routes(routes!(change_password::operator_change_password))
        .routes(routes!(session::get_operator_session))
}
