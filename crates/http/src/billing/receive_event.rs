//! Where a payment enters: the payment provider delivers an event.
//!
//! No session and no CSRF token: the signature over the raw bytes says who sent it. It is acknowledged once it is
//! stored and its job queued; what follows happens elsewhere.

use axum::{
    extract::{Request, State},
    http::HeaderMap,
};
use http::StatusCode;
use tenantry_app::billing::inbox::{self, InboxError, Receipt};

use crate::{AppState, Problem, TraceContext, body::collect};

/// No event is larger; a longer body is refused before it is read.
const MAX_EVENT_BYTES: usize = 1 << 20;
const SIGNATURE: &str = "stripe-signature";

/// Takes one delivery.
pub(super) async fn receive_event(
    State(state): State<AppState>,
    trace: TraceContext,
    request: Request,
) -> Result<StatusCode, Problem> {
    let signature = signature(request.headers());
    let body = collect(request, MAX_EVENT_BYTES).await?;
    let receipt = inbox::receive(&state.app, &body, signature.as_deref(), Some(trace.traceparent())).await;
    match receipt {
        Ok(Receipt::Stored) => Ok(StatusCode::OK),
        Ok(Receipt::Duplicate) => {
            tracing::debug!("an event was delivered again");
            Ok(StatusCode::OK)
        }
        Err(InboxError::Refused(refusal)) => {
            tracing::warn!(code = refusal.code(), bytes = body.len(), "a delivery was refused");
            Err(refusal.into())
        }
        Err(InboxError::Database(error)) => Err(error.into()),
    }
}

/// The one signature header; several leave open which one counts, so they count as none.
fn signature(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(SIGNATURE).iter();
    let value = values.next()?.to_str().ok()?.to_owned();
    values.next().is_none().then_some(value)
}
