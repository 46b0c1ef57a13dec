//! `/auth/…`, `/session` and `/me/…`: people sign up, confirm, sign in and out, change what is known of them, and look
//! after their sign-in.

pub mod confirm_email;
pub mod forgot_password;
pub mod login;
pub mod login_second_factor;
pub mod logout;
pub mod mail_on_its_way;
pub mod me;
pub mod new_email_link;
pub mod oidc;
pub mod password_strength;
pub mod problems;
pub mod refresh;
pub mod register;
pub mod resend_verification;
pub mod reset_password;
pub mod second_factor;
pub mod session;
pub mod sessions;
pub mod sign_up_link;
pub mod step_up;
pub mod verify_email;
pub mod visitor;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(verify_email::verify_email))
        .routes(routes!(sign_up_link::read_sign_up_link))
        .routes(routes!(resend_verification::resend_verification))
        .routes(routes!(forgot_password::forgot_password))
        .routes(routes!(reset_password::reset_password))
        .routes(routes!(confirm_email::confirm_email))
        .routes(routes!(new_email_link::read_new_email_link))
        .routes(routes!(login::login))
        .routes(routes!(login_second_factor::login_second_factor))
        .routes(routes!(step_up::step_up))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(session::get_session))
        .routes(routes!(password_strength::password_strength))
        .merge(me::routes())
        .merge(second_factor::routes())
        .merge(sessions::routes())
}
