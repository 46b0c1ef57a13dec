//! Which pages of other sites may read the answers to what they ask. The API is closed to all but those that a setting
//! names, and even they are never told that cookies may come along: whoever calls from there carries an access token.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use crate::{AppState, router::API};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID";
const ANSWER_HEADERS: &str = "ETag, Idempotency-Replayed, Location, RateLimit-Limit, RateLimit-Remaining, \
    RateLimit-Reset, Retry-After, WWW-Authenticate, X-Request-Id";
/// Soon enough for an origin that is taken off the list.
const PREFLIGHT_SECONDS: &str = "600";

/// The origins whose pages may call the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsOrigins(Vec<String>);

/// A text that is no origin, or one that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text} is no origin: write it as browsers send it, https://HOST or https://HOST:PORT in lower case, without a path, a \
     trailing slash, the usual port or a *; on this machine also http://localhost:PORT"
)]
pub struct InvalidOrigin {
    /// That text.
    pub text: String,
}

impl CorsOrigins {
    /// Reads origins.
    ///
    /// # Errors
    /// The first text that is none.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, InvalidOrigin> {
        let origin = |text: T| {
            let text = text.as_ref();
            if is_exact(text) {
                Ok(text.to_owned())
            } else {
                Err(InvalidOrigin { text: text.to_owned() })
            }
        };
        texts.into_iter().map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// The request's origin, as it is to be repeated, if its pages may call.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let listed = self.0.iter().any(|listed| listed.as_bytes() == origin.as_bytes());
        listed.then(|| origin.clone())
    }
}

/// Whether browsers send exactly this, for a page that nobody on the way could have changed.
fn is_exact(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let trusted = match url.scheme() {
        "https" => true,
        "http" => url.host_str() == Some("localhost") && url.port().is_some(),
        _ => false,
    };
    // A star is a letter like any other to the parser of addresses.
    trusted && !text.contains('*') && url.origin().ascii_serialization() == text
}

/// Opens the API to pages of the configured origins.
pub(crate) async fn handle(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origins = &state.settings.cors_origins;
    if origins.0.is_empty() || !is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let origin = origins.allowed(request.headers());
    let mut response = if origin.is_some() && is_preflight(&request) {
        preflight(METHODS, REQUEST_HEADERS, PREFLIGHT_SECONDS)
    } else {
        next.run(request).await
    };
    // Also where it says no: a cache must not give that answer to another page, nor the other way round.
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        expose(&mut response, origin, ANSWER_HEADERS);
    }
    response
}

/// The customers' API. Operators are known by cookies alone, so that no page from elsewhere has business with theirs.
fn is_open(path: &str) -> bool {
    let Some(below) = path.strip_prefix(API) else {
        return false;
    };
    let mut segments = below.split('/');
    segments.next() == Some("") && segments.next() != Some("operator")
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a browser that asks beforehand what it may.
pub(crate) fn preflight(methods: &'static str, headers: &'static str, seconds: &'static str) -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (header::ACCESS_CONTROL_MAX_AGE, seconds),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets pages of this origin read the answer, and these of its headers.
pub(crate) fn expose(response: &mut Response, origin: HeaderValue, headers: &'static str) {
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(headers));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for text in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "https://192.0.2.7",
            "https://localhost:5173",
            "http://localhost:5173",
        ] {
            assert!(CorsOrigins::parse([text]).is_ok(), "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://",
            "https://*.example.com",
            "https://*",
            "https://app.example.com/",
            "https://app.example.com/page",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://app.example.com:443",
            "https://App.example.com",
            "https://ada@app.example.com",
            "https://app.example.com https://other.example.com",
            "http://app.example.com",
            "http://localhost",
            "http://localhost.example.com:5173",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            let refused = CorsOrigins::parse(["https://good.example.com", text]).unwrap_err();
            assert_eq!(refused.text, text);
        }
    }

    #[test]
    fn operators_and_what_is_not_the_api_stay_closed() {
        for path in ["/api/v1", "/api/v1/", "/api/v1/organizations", "/api/v1/operators"] {
            assert!(is_open(path), "{path}");
        }
        for path in [
            "/api/v1/operator",
            "/api/v1/operator/",
            "/api/v1/operator/users",
            "/api/v10/organizations",
            "/api",
            "/webhooks/stripe",
            "/oauth/token",
            "/health",
            "/",
            "",
        ] {
            assert!(!is_open(path), "{path}");
        }
    }
}
