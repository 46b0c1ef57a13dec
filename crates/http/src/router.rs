//! All routes, and the layers around them.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    AppState, accounts, billing, body, cors, edge, health, idempotency, meta, openapi, operator, organizations,
    problem::{Problem, kinds},
    provisioning, ui,
};

/// Where the API begins.
pub(crate) const API: &str = "/api/v1";

/// From the last byte of the request to the first of the answer. A stream that has begun may go on.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// All that is described, before any layer.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    api_with(operator::routes()).merge(accounts::oidc::routes())
}

fn api_with(operators: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    let v1 = meta::routes()
        .merge(accounts::routes())
        .merge(organizations::routes())
        .merge(billing::routes())
        .merge(provisioning::routes())
        .nest("/operator", operators);
    OpenApiRouter::with_openapi(openapi::base()).nest(API, v1)
}

/// The whole server: API, webhooks, health, and the web interface for everything else.
pub fn router(state: AppState) -> Router {
    let operators = if state.settings.without_operators {
        OpenApiRouter::new()
    } else {
        operator::routes()
    };
    let (api, _) = api_with(operators).split_for_parts();
    let (single_sign_on, _) = accounts::oidc::routes().split_for_parts();
    let api = api
        .merge(openapi::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), idempotency::replay))
        .layer(DefaultBodyLimit::max(body::MAX_JSON_BYTES));
    // Files and pages are compressed; answers that hold a session's token beside a person's words are not.
    let ui = Router::new().fallback(ui::serve).layer(CompressionLayer::new());
    Router::new()
        .merge(api)
        .merge(billing::webhook_routes())
        .merge(single_sign_on)
        .merge(health::routes())
        .fallback_service(ui)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(limit_time))
        .layer(CatchPanicLayer::custom(panicked))
        // Around these two: a page may also read how its call failed.
        .layer(from_fn_with_state(state.clone(), cors::handle))
        .layer(from_fn_with_state(state.clone(), edge::handle))
        .with_state(state)
}

/// A process that only works in the background: it answers for its own health and nothing else.
pub fn worker_router(state: AppState) -> Router {
    Router::new()
        .merge(health::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), edge::handle))
        .with_state(state)
}

async fn not_found() -> Problem {
    Problem::of(kinds::NOT_FOUND)
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::of(kinds::TIMED_OUT).into_response(),
    }
}

async fn method_not_allowed() -> Problem {
    Problem::of(kinds::METHOD_NOT_ALLOWED)
}

/// A defect of ours in one handler ends that request, not the server.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
        .to_owned();
    Problem::internal(HandlerPanicked { message }).into_response()
}

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {message}")]
struct HandlerPanicked {
    message: String,
}
