//! Single sign-on: Tenantry as OpenID provider of the catalog's products, at addresses outside of `/api`.

pub mod authorize;
mod client_authentication;
mod cors;
pub mod discovery;
pub mod end_session;
mod error;
pub mod jwks;
mod page;
mod parameters;
#[doc(hidden)]
pub mod readers;
mod redirect;
pub mod token;
pub mod userinfo;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn,
    routing::{get, post},
};

use crate::{AppState, body::MAX_JSON_BYTES};

/// All endpoints. Those that pages of products call are open to them; those that browsers walk through are not.
pub fn routes() -> Router<AppState> {
    let called = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(discovery::discovery).options(cors::preflight),
        )
        .route("/.well-known/jwks.json", get(jwks::jwks).options(cors::preflight))
        .route("/oauth/token", post(token::token).options(cors::preflight))
        .route(
            "/oauth/userinfo",
            get(userinfo::userinfo)
                .post(userinfo::userinfo)
                .options(cors::preflight),
        )
        .layer(from_fn(cors::open));
    let walked = Router::new()
        .route("/oauth/authorize", get(authorize::authorize).post(authorize::authorize))
        .route(
            "/oauth/end-session",
            get(end_session::end_session).post(end_session::end_session),
        );
    called.merge(walked).layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
}
