//! Is the process alive, may it have traffic, and what does it measure? For machines, without a session.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde_json::json;
use tenantry_app::readiness;

use crate::{
    AppState,
    problem::{Problem, kinds},
};

/// A database that answers later than this is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
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

async fn metrics(State(state): State<AppState>) -> Response {
    match &state.settings.metrics {
        Some(page) => (
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            page(),
        )
            .into_response(),
        None => Problem::of(kinds::NOT_FOUND).into_response(),
    }
}
