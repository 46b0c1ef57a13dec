//! Where a payment enters: an event is verified on its raw bytes, stored, and the job that looks at it is queued, all
//! before it is acknowledged. A second delivery changes nothing.

use tenantry_domain::billing::{
    provider::{ProviderEvent, WebhookRefusal},
    settle::Ignored,
};
use tenantry_operations::jobs::Job;
use tenantry_postgres::{
    DatabaseError,
    billing::inbox::{self, ApplyJob, NewEvent},
};

use super::apply::ApplyEvents;
use crate::App;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It was new and is stored.
    Stored,
    /// It was known.
    Duplicate,
}

/// Why a delivery is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// It is not believed.
    #[error(transparent)]
    Refused(#[from] WebhookRefusal),
    /// It could not be stored: the provider delivers it again.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Takes a delivery as it came over the wire.
///
/// # Errors
/// When it is not believed, or could not be stored.
pub async fn receive(
    app: &App,
    body: &[u8],
    signature: Option<&str>,
    trace: Option<String>,
) -> Result<Receipt, InboxError> {
    let event = app.payments.receive_event(body, signature, app.clock.now())?;
    let new = store(app, &[new_event(app, event, trace)]).await?;
    Ok(if new == 1 { Receipt::Stored } else { Receipt::Duplicate })
}

/// Stores events that the provider was asked for. One that cannot be stored is passed over: it would be listed again and
/// again, and keep all others away.
///
/// # Errors
/// The database.
pub async fn take_listed(app: &App, events: Vec<ProviderEvent>) -> Result<usize, DatabaseError> {
    let events: Vec<_> = events.into_iter().map(|event| new_event(app, event, None)).collect();
    match store(app, &events).await {
        Err(error) if error.is_about_a_value() => {}
        stored => return stored,
    }
    let mut new = 0;
    for event in &events {
        match store(app, std::slice::from_ref(event)).await {
            Ok(stored) => new += stored,
            Err(error) if error.is_about_a_value() => {
                tracing::error!(event = event.id, %error, "an event cannot be stored and is passed over");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(new)
}

async fn store(app: &App, events: &[NewEvent]) -> Result<usize, DatabaseError> {
    if events.is_empty() {
        return Ok(0);
    }
    // One statement on a direct connection: it is its own transaction, and its plan is kept.
    Ok(inbox::store(app.database.direct(), apply_job(), events).await?.len())
}

fn apply_job() -> ApplyJob {
    ApplyJob {
        kind: ApplyEvents::KIND,
        max_attempts: i32::try_from(ApplyEvents::policy().max_attempts).unwrap_or(i32::MAX),
    }
}

fn new_event(app: &App, event: ProviderEvent, trace: Option<String>) -> NewEvent {
    let ignored = if event.livemode != app.settings.livemode {
        Some(Ignored::LivemodeMismatch)
    } else if event.subject().is_none() {
        Some(Ignored::TypeNotHandled)
    } else {
        None
    };
    NewEvent {
        id: event.id,
        kind: event.kind,
        object_id: event.object_id,
        object_type: event.object_type,
        api_version: event.api_version,
        livemode: event.livemode,
        payload: event.payload,
        created_at: event.created_at,
        received_at: app.clock.now(),
        ignored,
        trace_id: trace,
    }
}
