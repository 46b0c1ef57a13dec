//! Is the process alive, and may it have traffic? For machines, without a session.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::json;
use tenantry_app::readiness;

use crate::AppState;

/// A database that answers later than this is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

/// The process answers; restart it only if it does not.
async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The database is reachable and as this version needs it. Without it no request can be served.
async fn ready(State(state): State<AppState>) -> Response {
    match tokio::time::timeout(PATIENCE, readiness::check(&state.app)).await {
        Ok(Ok(())) => Json(json!({ "status": "ready" })).into_response(),
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "not_ready", "reason": error.code() })),
            )
                .into_response()
        }
        Err(_) => {
            tracing::warn!("not ready: the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "not_ready", "reason": "database_slow" })),
            )
                .into_response()
        }
    }
}
