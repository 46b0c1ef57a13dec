//! The inbox as operators see it: what arrived, what became of it, and looking at it once more.

use chrono::{DateTime, Utc};
use tenantry_postgres::{
    DatabaseError,
    billing::inbox::{self, EventRow},
};

use super::apply;
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

pub use inbox::EventRow as StoredEvent;

/// Why an event is not looked at once more.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No such event.
    #[error("there is no such event")]
    Unknown,
    /// It is about nothing that is looked at.
    #[error("this event says nothing about a purchase")]
    NotHandled,
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for ReplayError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// Events, newest first.
///
/// # Errors
/// The database.
pub async fn list(
    app: &App,
    state: Option<&str>,
    after: Option<(DateTime<Utc>, &str)>,
    limit: i64,
) -> Result<Vec<EventRow>, DatabaseError> {
    let mut tx = app.database.read_system("an operator reads the inbox").await?;
    let events = inbox::list(&mut tx, state, after, limit).await?;
    tx.commit().await?;
    Ok(events)
}

/// Has an event looked at once more. What it is about is asked for as it is now, so that this is always safe.
///
/// # Errors
/// When there is no such event, or it is about nothing that is looked at.
pub async fn replay(app: &App, event: &str, actor: &str, trace: Option<&str>) -> Result<(), ReplayError> {
    let mut tx = app.database.system("an operator replays an event").await?;
    let row = inbox::find(&mut tx, event).await?.ok_or(ReplayError::Unknown)?;
    let (Some(object_id), Some(object_type)) = (&row.object_id, &row.object_type) else {
        return Err(ReplayError::NotHandled);
    };
    if !tenantry_domain::billing::provider::HANDLED_EVENTS.contains(&row.r#type.as_str()) {
        return Err(ReplayError::NotHandled);
    }
    inbox::reopen(&mut tx, event).await?;
    let trace = trace.or(row.trace_id.as_deref());
    apply::enqueue(&mut tx, object_id, object_type, trace).await?;
    audit::record(app, &mut tx, Act::new("stripe_event.replayed", actor).target(event)).await?;
    tx.commit().await?;
    Ok(())
}

/// What the code of an event's reason means, and what an operator does about it.
#[must_use]
pub fn explain(code: &str) -> &'static str {
    match code {
        "livemode_mismatch" => "It is about another kind of money (test or live) than this installation's.",
        "other_installation" => "Another installation that shares the account made this.",
        "not_ours" => "Nobody here made this; it was probably made by hand at the payment provider.",
        "checkout_unknown" => "It names a checkout that this ledger does not have.",
        "no_subscription" => "It belongs to no subscription, so nothing follows from it.",
        "object_gone" => {
            "The payment provider does not have the object any more. If a contract depends on it, look there."
        }
        "type_not_handled" => "Events of this type say nothing about a purchase.",
        "price_not_in_catalog" => {
            "It was paid by a price that no catalog had. Apply a catalog that has it, then replay."
        }
        "price_of_other_product" => {
            "The price belongs to another product than the one that was chosen. Refund or correct it."
        }
        "tenant_gone" => "What was paid for was taken down meanwhile. Refund it.",
        "customer_mismatch" => {
            "Another customer of the payment provider paid than the one whose checkout it names. Look there; refund it."
        }
        "status_unknown" => "The subscription has a status that this release does not know. Update, then replay.",
        "payment_provider_unauthorized" => {
            "The payment provider refuses the key. Put a valid one in; what waits for it is then looked at by itself."
        }
        "payment_provider_rate_limited" => "The payment provider asked us to slow down; it is tried again.",
        "payment_provider_unreachable" | "payment_provider_timeout" => {
            "The payment provider did not answer; it is tried again for a while."
        }
        "payment_provider_failed" | "payment_provider_conflict" => {
            "The payment provider failed; it is tried again for a while."
        }
        _ => "See the log of the server under the event's trace, then replay.",
    }
}
