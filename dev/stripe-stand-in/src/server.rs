//! The HTTP server: the API, the hosted page, the controls.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get};

use crate::state::Shared;
use crate::{api, control, hosted_page};

/// Larger than any request that Stripe takes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What every handler needs.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Shared,
    /// The one key that is accepted; any test key where none is set.
    pub(crate) api_key: Option<String>,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(hosted_page::about))
        .route("/v1/{*path}", any(api::serve))
        .merge(hosted_page::routes())
        .nest("/_control", control::router())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}
