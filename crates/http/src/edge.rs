//! What every request passes on its way in and every answer on its way out: an id, a trace, a span, metrics, security
//! headers, and the writing of problems.

pub mod client;
mod headers;

use std::time::Instant;

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    AppState, TraceContext,
    problem::{Problem, kinds},
};

/// All headers together; browsers send a kilobyte or two.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// The outermost layer.
pub(crate) async fn handle(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = format!("req_{}", Uuid::now_v7().simple());
    let peer = request
        .extensions()
        .get::<ConnectInfo<std::net::SocketAddr>>()
        .map(|info| info.0.ip());
    let proxies = &state.settings.trusted_proxies;
    let client = proxies.client(peer, request.headers());
    // Also behind a trusted proxy: it passes on what its callers say, and was trusted for addresses only.
    let trace = TraceContext::root();
    let method = request.method().clone();
    let route = route(&request);

    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        request_id,
        trace_id = trace.trace_id(),
        method = %method,
        route,
        status = tracing::field::Empty,
    );
    if let Some(set_parent) = &state.settings.span_parent {
        set_parent(&span, &trace.traceparent());
    }
    request.extensions_mut().insert(client::ClientAddress(client));
    request.extensions_mut().insert(trace);

    let too_large = header_bytes(request.headers()) > MAX_HEADER_BYTES;
    let answered = async {
        let response = if too_large {
            axum::response::IntoResponse::into_response(Problem::of(kinds::HEADERS_TOO_LARGE))
        } else {
            next.run(request).await
        };
        finish(&state, response, &request_id)
    };
    let response = answered.instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    measure(&method, &route, response.status(), started);
    span.in_scope(|| log(&route, response.status(), started));
    response
}

/// The route's template, so that metrics and spans have few names, never one for each thing.
fn route(request: &Request) -> String {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned())
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// Writes a problem out, once it is known which request it belongs to, and logs it if it is ours.
fn finish(state: &AppState, mut response: Response, request_id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let kind = problem.kind();
        if kind.status >= 500 {
            tracing::error!(
                code = kind.code,
                status = kind.status,
                error = problem.causes(),
                "request failed"
            );
        } else {
            tracing::debug!(
                code = kind.code,
                status = kind.status,
                error = problem.causes(),
                "request refused"
            );
        }
        let rendered = problem.render(request_id);
        // What the problem's maker set beside it (a cookie, Allow) stays.
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(http::header::CONTENT_LENGTH);
        response = rendered;
        headers.extend(std::mem::take(response.headers_mut()));
        *response.headers_mut() = headers;
    }
    headers::secure(state, &mut response);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// One line for each call; probes and files only when somebody looks closely.
fn log(route: &str, status: StatusCode, started: Instant) {
    let status = status.as_u16();
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if matches!(route, "/health" | "/ready" | "/metrics" | "unmatched") {
        tracing::debug!(status, elapsed_ms, "answered");
    } else {
        tracing::info!(status, elapsed_ms, "answered");
    }
}

fn measure(method: &Method, route: &str, status: StatusCode, started: Instant) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let status = status.as_u16().to_string();
    metrics::counter!("http_requests_total", "method" => method, "route" => route.to_owned(), "status" => status)
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.to_owned())
        .record(started.elapsed().as_secs_f64());
}
