//! Serves `/v1`: authentication, version, idempotency, faults, then the call itself.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State as Extract};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::connections::Cutter;
use crate::errors::ApiError;
use crate::expand::expand;
use crate::faults::{self, Failure, When};
use crate::form;
use crate::idempotency::Lookup;
use crate::ids::new_id;
use crate::routes::{self, Call, Route};
use crate::server::App;
use crate::state::{API_VERSION, RequestContext, State};

/// An answer on its way out.
struct Answer {
    status: u16,
    body: String,
    /// The request whose saved answer this is.
    replayed_from: Option<String>,
}

impl Answer {
    fn error(error: &ApiError) -> Self {
        Self::json(error.status, &json!({"error": error.body()}))
    }

    fn json(status: u16, value: &Value) -> Self {
        // A value of strings and numbers always has a text.
        let body = serde_json::to_string_pretty(value).unwrap_or_default();
        Self {
            status,
            body,
            replayed_from: None,
        }
    }
}

/// A request with what its headers say.
struct Request<'a> {
    id: String,
    method: &'a str,
    path: &'a str,
    encoded: &'a [u8],
    key: Option<String>,
    fingerprint: String,
}

pub(crate) async fn serve(
    Extract(app): Extract<App>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoded = if method == Method::POST {
        body.as_ref()
    } else {
        uri.query().unwrap_or_default().as_bytes()
    };
    let is_post = method == Method::POST;
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .filter(|key| is_post && !key.is_empty());
    let request = Request {
        id: new_id("req"),
        method: method.as_str(),
        path: uri.path(),
        encoded,
        key: key.map(str::to_owned),
        fingerprint: fingerprint(&method, uri.path(), encoded),
    };
    if let Err(error) = admit(&app, &headers) {
        return respond(&request, Answer::error(&error));
    }
    let fault = app.shared.lock().faults.take(request.method, request.path);
    let answer = match fault {
        None => answer(&app, &request),
        Some((failure, when)) => match disturbed(&app, &request, failure, when).await {
            Some(answer) => answer,
            None => {
                cutter.cut();
                Answer::error(&ApiError::internal())
            }
        },
    };
    if is_post || method == Method::DELETE {
        app.shared.deliveries.notify_one();
    }
    respond(&request, answer)
}

fn fingerprint(method: &Method, path: &str, encoded: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update(b" ");
    hash.update(path);
    hash.update(b"?");
    hash.update(encoded);
    hex::encode(hash.finalize())
}

/// Whether the caller has a key, and speaks the version that is simulated.
fn admit(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let key = api_key(headers).ok_or_else(|| {
        ApiError::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication \
             for details, or we can help at https://support.stripe.com/.",
        )
    })?;
    let right: bool = match &app.api_key {
        Some(expected) => key.as_bytes().ct_eq(expected.as_bytes()).into(),
        None => key.starts_with("sk_test_") || key.starts_with("rk_test_"),
    };
    if !right {
        return Err(ApiError::unauthorized(format!(
            "Invalid API Key provided: {}",
            masked(&key)
        )));
    }
    match headers.get("stripe-version").and_then(|version| version.to_str().ok()) {
        Some(version) if version != API_VERSION => Err(ApiError::invalid(format!(
            "Invalid Stripe API version: {version}. The Stripe stand-in speaks {API_VERSION} only."
        ))),
        _ => Ok(()),
    }
}

fn api_key(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = text.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(credentials.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// Keys show their kind and last four characters, as Stripe shows them.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().take(64).collect();
    if letters.len() <= 12 {
        return "*".repeat(letters.len());
    }
    let (start, end) = (8, letters.len() - 4);
    letters
        .iter()
        .enumerate()
        .map(|(at, letter)| if (start..end).contains(&at) { '*' } else { *letter })
        .collect()
}

/// A request that goes wrong as was ordered; `None` where no answer is to be given.
async fn disturbed(app: &App, request: &Request<'_>, failure: Failure, when: When) -> Option<Answer> {
    match failure {
        Failure::Status(status) => Some(replaced(app, request, status, when)),
        Failure::Close => {
            lost(app, request, when);
            None
        }
        Failure::Hang(secs) => {
            lost(app, request, when);
            let in_progress = (when == When::Before).then(|| InProgress::begin(app, request.key.as_deref()));
            tokio::time::sleep(Duration::from_secs(secs)).await;
            drop(in_progress);
            None
        }
    }
}

/// While it lives, other requests with the key meet a request in progress. A client that hangs up ends it too.
struct InProgress<'a> {
    app: &'a App,
    key: Option<&'a str>,
}

impl<'a> InProgress<'a> {
    fn begin(app: &'a App, key: Option<&'a str>) -> Self {
        if let Some(key) = key {
            app.shared.lock().idempotency.begin(key);
        }
        Self { app, key }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.app.shared.lock().idempotency.end(key);
        }
    }
}

/// The effect without its answer.
fn lost(app: &App, request: &Request<'_>, when: When) {
    if when == When::After {
        answer(app, request);
    }
}

/// An error in place of the answer. A saved answer still comes first: its key already has its result.
fn replaced(app: &App, request: &Request<'_>, status: u16, when: When) -> Answer {
    let error = Answer::error(&faults::error_for(status, request.key.as_deref()));
    let mut state = app.shared.lock();
    let now = state.now();
    if let Some(key) = &request.key {
        match state.idempotency.look_up(key, &request.fingerprint, now) {
            Ok(Lookup::New) => {}
            Ok(Lookup::Replay(saved)) => {
                return Answer {
                    status: saved.status,
                    body: saved.body,
                    replayed_from: Some(saved.request_id),
                };
            }
            Err(error) => return Answer::error(&error),
        }
    }
    if when == When::After {
        execute(&mut state, request);
    }
    if let Some(key) = &request.key {
        state
            .idempotency
            .save(key, &request.fingerprint, &request.id, error.status, &error.body, now);
    }
    error
}

fn answer(app: &App, request: &Request<'_>) -> Answer {
    let mut state = app.shared.lock();
    let now = state.now();
    let Some(key) = &request.key else {
        return execute(&mut state, request);
    };
    match state.idempotency.look_up(key, &request.fingerprint, now) {
        Err(error) => Answer::error(&error),
        Ok(Lookup::Replay(saved)) => Answer {
            status: saved.status,
            body: saved.body,
            replayed_from: Some(saved.request_id),
        },
        Ok(Lookup::New) => {
            let answer = execute(&mut state, request);
            state.revision += 1;
            state
                .idempotency
                .save(key, &request.fingerprint, &request.id, answer.status, &answer.body, now);
            answer
        }
    }
}

fn execute(state: &mut State, request: &Request<'_>) -> Answer {
    let Some((route, id)) = routes::find(request.method, request.path) else {
        return Answer::error(&ApiError::unrecognized_url(request.method, request.path));
    };
    state.request = Some(RequestContext {
        id: request.id.clone(),
        idempotency_key: request.key.clone(),
    });
    let result = run(state, route, id, request.encoded);
    state.request = None;
    match result {
        Ok(value) => Answer::json(200, &value),
        Err(error) => Answer::error(&error),
    }
}

fn run(state: &mut State, route: &Route, id: &str, encoded: &[u8]) -> Result<Value, ApiError> {
    let params = route.parameters.read(&form::decode(encoded)?)?;
    let call = Call::new(id, params);
    let mut value = (route.handler)(state, &call)?;
    expand(state, &mut value, call.params.list("expand"))?;
    Ok(value)
}

fn respond(request: &Request<'_>, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    set(headers, "request-id", &request.id);
    if let Some(key) = &request.key {
        set(headers, "idempotency-key", key);
    }
    if let Some(original) = &answer.replayed_from {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        set(headers, "original-request", original);
    }
    if answer.status >= 500 && request.key.is_some() {
        // The same key would only get the same answer again.
        headers.insert("stripe-should-retry", HeaderValue::from_static("false"));
    }
    if answer.status == 401 {
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"Stripe\""),
        );
    }
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{api_key, masked};

    #[test]
    fn keys_come_as_bearer_or_basic() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            api_key(&headers)
        };
        assert_eq!(key("Bearer sk_test_1").as_deref(), Some("sk_test_1"));
        assert_eq!(key("Basic c2tfdGVzdF8xOg==").as_deref(), Some("sk_test_1"));
        assert_eq!(key("Digest x"), None);
    }

    #[test]
    fn keys_are_masked_in_errors() {
        assert_eq!(masked("sk_test_abcdefgh1234"), "sk_test_********1234");
        assert_eq!(masked("short"), "*****");
    }
}
