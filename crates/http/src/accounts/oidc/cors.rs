//! Which pages of other sites may call. No cookie counts at these endpoints, so any page may; the rest of the server is
//! closed to all but those that the installation names.

use axum::{extract::Request, middleware::Next, response::Response};
use http::HeaderValue;

use crate::cors;

const ANSWER_HEADERS: &str = "WWW-Authenticate, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";

/// Answers a browser that asks beforehand what it may.
pub(super) async fn preflight() -> Response {
    cors::preflight("GET, POST", "Authorization, Content-Type", "7200")
}

/// Lets a page of any site read the answer.
pub(super) async fn open(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    cors::expose(&mut response, HeaderValue::from_static("*"), ANSWER_HEADERS);
    response
}
