//! Server-sent events of one operation, woken by the ledger's notifications.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use http::{HeaderValue, header::CACHE_CONTROL, request::Parts};
use tenantry_app::provisioning::{self, Moves, OperationView};
use tenantry_domain::ids::OperationId;
use tokio::time::{Instant, timeout};

use super::{problems, slots::StreamSlot, views::Operation};
use crate::{AppState, Problem, authorization::Authority, problem::kinds};

/// Proxies close what is silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Looks by itself this often, in case a notification was lost; whether its session still may see it, no more often.
const LOOK: Duration = Duration::from_secs(5);
/// After this time the client connects again, and shows again that it may.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// What a client that lost its stream saw last.
pub(crate) struct LastEventId(pub(crate) Option<i32>);

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Infallible;

    /// An id that is none of ours is as good as none.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        Ok(Self(header.and_then(|text| text.trim().parse().ok())))
    }
}

struct Watch<A> {
    state: AppState,
    authority: A,
    /// When the authority was looked at last.
    checked: Instant,
    operation: OperationId,
    _slot: StreamSlot,
    moves: Moves,
    until: Instant,
    shown: Option<OperationView>,
    next: Next,
}

enum Next {
    /// Show this.
    Show(Box<OperationView>),
    /// Say that it has ended.
    End,
    /// Look when it moves.
    Look,
    /// Nothing more.
    Close,
}

/// Opens a stream of what the authority's holder may see, for as long as that is so.
pub(crate) async fn stream<A: Authority>(
    state: &AppState,
    authority: A,
    operation: OperationId,
    last_event: Option<i32>,
) -> Result<Response, Problem> {
    let slot = state
        .streams
        .take(authority.session())
        .ok_or_else(|| Problem::of(problems::TOO_MANY_STREAMS))?;
    let moves = state.progress.subscribe(&state.app, operation).await;
    let now = provisioning::find_operation(&state.app, authority.reader(), operation)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let is_seen = last_event == Some(now.last_record) && !now.is_ended();
    let watch = Watch {
        state: state.clone(),
        authority,
        checked: Instant::now(),
        operation,
        _slot: slot,
        moves,
        until: Instant::now() + LONGEST,
        shown: is_seen.then(|| now.clone()),
        next: if is_seen { Next::Look } else { Next::Show(Box::new(now)) },
    };
    let events = stream::unfold(watch, |watch| watch.advance());
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl<A: Authority> Watch<A> {
    async fn advance(mut self) -> Option<(Result<Event, axum::Error>, Self)> {
        loop {
            match std::mem::replace(&mut self.next, Next::Close) {
                Next::Show(view) => {
                    self.next = if view.is_ended() { Next::End } else { Next::Look };
                    let event = Event::default()
                        .event("operation")
                        .id(view.last_record.to_string())
                        .json_data(Operation::new(view.as_ref().clone(), self.authority.reader()));
                    self.shown = Some(*view);
                    return Some((event, self));
                }
                Next::End => return Some((Ok(Event::default().event("end").data("{}")), self)),
                Next::Look => self.next = self.look().await,
                Next::Close => return None,
            }
        }
    }

    /// Waits for a move and looks; a ledger that does not answer ends the stream, and the client comes back.
    async fn look(&mut self) -> Next {
        if Instant::now() >= self.until {
            return Next::Close;
        }
        // Either way it is time to look.
        let _ = timeout(LOOK, self.moves.next()).await;
        if self.checked.elapsed() >= LOOK {
            match self.authority.still_holds(&self.state).await {
                Ok(true) => self.checked = Instant::now(),
                Ok(false) => return Next::Close,
                Err(error) => {
                    tracing::warn!(%error, operation = %self.operation, "a live view could not ask whether it may go on");
                    return Next::Close;
                }
            }
        }
        match provisioning::find_operation(&self.state.app, self.authority.reader(), self.operation).await {
            Ok(Some(view)) if self.shown.as_ref() == Some(&view) => Next::Look,
            Ok(Some(view)) => Next::Show(Box::new(view)),
            Ok(None) => Next::Close,
            Err(error) => {
                tracing::warn!(%error, operation = %self.operation, "a live view lost the ledger");
                Next::Close
            }
        }
    }
}
