//! Single sign-on: Tenantry as OpenID provider of the catalog's products, at addresses outside of `/api`.

pub mod authorize;
mod client_authentication;
mod cors;
pub mod discovery;
pub mod end_session;
pub mod error;
pub mod jwks;
mod page;
mod parameters;
#[doc(hidden)]
pub mod readers;
mod redirect;
pub mod token;
pub mod userinfo;

use axum::{extract::DefaultBodyLimit, middleware::from_fn, routing::options};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, body::MAX_JSON_BYTES};

/// All endpoints. Those that pages of products call are open to them; those that browsers walk through are not.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let mut called = OpenApiRouter::new()
        .routes(routes!(discovery::openid_configuration))
        .routes(routes!(jwks::jwks))
        .routes(routes!(token::token))
        .routes(routes!(userinfo::userinfo, userinfo::userinfo_by_post));
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/oauth/token",
        "/oauth/userinfo",
    ] {
        called = called.route(path, options(cors::preflight));
    }
    let walked = OpenApiRouter::new()
        .routes(routes!(authorize::authorize, authorize::authorize_by_form))
        .routes(routes!(
            end_session::end_single_sign_on,
            end_session::end_single_sign_on_by_form
        ));
    called
        .layer(from_fn(cors::open))
        .merge(walked)
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
}
