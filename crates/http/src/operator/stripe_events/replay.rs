//! An operator has an event looked at once more.

use std::str::FromStr;

use axum::extract::State;
use http::StatusCode;
use tenantry_app::billing::events::{self, ReplayError};

use crate::{
    AppState, Operator, PathId, PathParameter, Problem, TraceContext, authorization::Support,
    billing::problems::EVENT_NOT_HANDLED, problem::kinds,
};

/// The payment provider's identifier of an event.
#[derive(Debug, Clone)]
pub struct StripeEventId(String);

/// A text that identifies no event.
#[derive(Debug, thiserror::Error)]
#[error("an event's id is evt_ and letters, digits or underscores")]
pub struct NotAnEvent;

impl FromStr for StripeEventId {
    type Err = NotAnEvent;

    fn from_str(text: &str) -> Result<Self, NotAnEvent> {
        let is_id = text.strip_prefix("evt_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if is_id && text.len() <= 255 {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnEvent)
        }
    }
}

impl PathParameter for StripeEventId {
    const NAME: &'static str = "event";
}

/// Asks for what the event is about as it is now, and makes the ledger follow. Always safe.
#[utoipa::path(
    post, path = "/stripe-events/{event}/replay", tag = "operator", security(("operator" = [])),
    responses(
        (status = 202, description = "It will be looked at"),
        (status = 422, description = "`event_not_handled`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_replay_stripe_event(
    State(state): State<AppState>,
    operator: Operator<Support>,
    trace: TraceContext,
    PathId(event): PathId<StripeEventId>,
) -> Result<StatusCode, Problem> {
    let replayed = events::replay(&state.app, &event.0, &operator.actor(), Some(&trace.traceparent())).await;
    replayed.map_err(|error| match error {
        ReplayError::Unknown => Problem::of(kinds::NOT_FOUND),
        ReplayError::NotHandled => Problem::of(EVENT_NOT_HANDLED),
        ReplayError::Fault(fault) => fault.into(),
    })?;
    Ok(StatusCode::ACCEPTED)
}
