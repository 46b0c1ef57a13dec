//! Single sign-on: Tenantry as OpenID provider of the catalog's products, at addresses outside of `/api`.

mod cors;
pub mod jwks;

use axum::{Router, middleware::from_fn, routing::get};

use crate::AppState;

/// All endpoints; those that browsers of products call from their own pages are open to them.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/.well-known/jwks.json", get(jwks::jwks))
        .layer(from_fn(cors::open))
}
