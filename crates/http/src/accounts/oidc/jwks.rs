//! The public keys that tokens are verified with.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use tenantry_app::accounts;

use crate::{AppState, Problem};

/// Keys are published a day before they sign, so an hour old is never too old.
pub(super) const CACHED: &str = "public, max-age=3600";

/// The list (RFC 7517).
pub(super) async fn jwks(State(state): State<AppState>) -> Result<Response, Problem> {
    let keys = accounts::jwks(&state.app).await?;
    Ok(([(header::CACHE_CONTROL, CACHED)], Json(keys)).into_response())
}
