//! `Idempotency-Key`: an unsafe call that is sent again under its key gets the same answer and does nothing twice.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tenantry_app::idempotency::{self, Answer, Claim, RequestKey};
use uuid::Uuid;

use crate::{
    AppState, Operator, SignedIn, body,
    csrf::is_safe,
    problem::{Problem, kinds},
    router::API,
};

const HEADER: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";
/// Larger answers, and streams, are not kept: their calls run again.
const MAX_KEPT_BYTES: usize = 256 * 1024;
const KEPT_HEADERS: [HeaderName; 2] = [header::CONTENT_TYPE, header::LOCATION];

/// The id of what a call creates. Every attempt of one call under one `Idempotency-Key` gets the same, so that an
/// attempt whose forerunner died after its work finds that done and creates nothing twice.
#[derive(Debug, Clone, Copy)]
pub struct NewId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for NewId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let kept = parts.extensions.get::<Self>().copied();
        Ok(kept.unwrap_or_else(|| Self(Uuid::now_v7())))
    }
}

/// An answer with a secret that is shown this once: it is never kept, so that nobody who learns the key and the request is
/// shown it again. Sent again, the call is judged anew.
#[derive(Debug)]
pub(crate) struct ShownOnce<T>(pub(crate) T);

/// On an answer that is not kept.
#[derive(Debug, Clone, Copy)]
struct NeverKept;

impl<T: Serialize> IntoResponse for ShownOnce<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        response.extensions_mut().insert(NeverKept);
        response
    }
}

/// Marks a request whose answer is kept. It goes through the router once more, as far as the extractor that lets its
/// caller in: a role that was lost since loses the answer, too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replay(Arc<AtomicBool>);

impl Replay {
    /// Called by an extractor that has let the caller in: stops here a request that was carried out before.
    pub(crate) fn stop(parts: &Parts) -> Result<(), Problem> {
        let Some(replay) = parts.extensions.get::<Self>() else {
            return Ok(());
        };
        replay.0.store(true, Ordering::Relaxed);
        // Nobody sees this one: the kept answer takes its place.
        Err(Problem::of(kinds::IDEMPOTENCY_IN_PROGRESS))
    }

    fn was_let_in(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The layer around the whole API.
pub(crate) async fn replay(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if is_safe(request.method()) || !request.headers().contains_key(HEADER) || is_upload(request.headers()) {
        return next.run(request).await;
    }
    match keyed(&state, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// A file that replaces another: sending it twice does nothing twice, and it is too large to be compared.
fn is_upload(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"image/"))
}

async fn keyed(state: &AppState, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key(request.headers())?;
    let (mut parts, request_body) = request.into_parts();
    let Some(principal) = principal(state, &mut parts).await? else {
        // Nobody whom a key could belong to: sign-in and sign-up are safe to repeat, everything else answers 401.
        return Ok(next.run(Request::from_parts(parts, request_body)).await);
    };
    let probe = Request::from_parts(parts.clone(), request_body);
    let bytes = body::collect(probe, body::MAX_JSON_BYTES).await?;
    let request_key = RequestKey {
        principal,
        key,
        request_hash: fingerprint(&state.request_key, &parts, &bytes),
    };
    match idempotency::claim(&state.app, &request_key).await? {
        Claim::Fresh { act } => {
            parts.extensions.insert(NewId(act));
        }
        Claim::Done(answer) => {
            let replay = Replay::default();
            parts.extensions.insert(replay.clone());
            let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            return Ok(if replay.was_let_in() { again(&answer) } else { response });
        }
        Claim::InProgress => {
            return Err(Problem::of(kinds::IDEMPOTENCY_IN_PROGRESS).retry_after(std::time::Duration::from_secs(1)));
        }
        Claim::Reused => return Err(Problem::of(kinds::IDEMPOTENCY_KEY_REUSED)),
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    keep(state, &request_key, response).await
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(key), None) if (1..=255).contains(&key.len()) => Ok(key.to_owned()),
        _ => Err(Problem::of(kinds::IDEMPOTENCY_KEY_INVALID)),
    }
}

/// Who asks, by their session alone. What they may do is judged by the handler's own extractor, also before they see a
/// kept answer.
async fn principal(state: &AppState, parts: &mut Parts) -> Result<Option<String>, Problem> {
    let is_operator = parts.uri.path().starts_with(API) && parts.uri.path()[API.len()..].starts_with("/operator/");
    let found = if is_operator {
        Operator::<crate::authorization::Viewer>::authenticate(parts, state)
            .await
            .map(|operator| Some(operator.session.operator.to_string()))
    } else {
        // An operator in a customer's place does nothing that could be repeated, and sees no answer of the customer's.
        SignedIn::present(parts, state).await.map(|signed_in| {
            let is_own = signed_in.session.impersonation.is_none();
            is_own.then(|| signed_in.session.user.to_string())
        })
    };
    match found {
        Ok(principal) => Ok(principal),
        Err(problem) if problem.kind() == kinds::UNAUTHENTICATED => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Under a key of this installation: a body may hold a password, and who reads the table shall not be able to guess at it.
fn fingerprint(key: &[u8; 32], parts: &Parts, body: &[u8]) -> [u8; 32] {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    hash.update(key);
    for part in [parts.method.as_str().as_bytes(), target.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Keeps an answer that another attempt should get too. What may go differently next time is not kept: failures of
/// ours, and refusals that signing in or waiting mends.
///
/// What failed may have been done all the same, so its next attempt goes on with the same id.
fn is_kept(status: StatusCode) -> bool {
    !status.is_server_error() && !matches!(status.as_u16(), 401 | 403 | 408 | 429)
}

async fn keep(state: &AppState, request_key: &RequestKey, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    // A problem is written out at the edge, with this request's id; its next attempt is judged anew, which for a
    // refusal costs nothing.
    let is_problem = response.extensions().get::<Problem>().is_some();
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "text/event-stream");
    if status.is_server_error() {
        idempotency::hand_over(&state.app, request_key).await?;
        return Ok(response);
    }
    let is_shown_once = response.extensions().get::<NeverKept>().is_some();
    if is_problem || is_stream || is_shown_once || !is_kept(status) {
        idempotency::release(&state.app, request_key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    // Handlers answer from memory, so this neither waits nor fails.
    let bytes = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    if bytes.len() > MAX_KEPT_BYTES {
        idempotency::hand_over(&state.app, request_key).await?;
    } else {
        let headers = KEPT_HEADERS
            .iter()
            .filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned())))
            .collect();
        idempotency::complete(&state.app, request_key, &Answer::new(status.as_u16(), headers, &bytes)).await?;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn again(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Body::from(answer.body())).into_response();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
