//! Who did what: written in the transaction that does it, and sealed a moment later.

mod checkpoints;
mod keeper;
mod log_key;
mod personal;
mod retention;
mod seals;
mod verification;

use std::{fmt::Display, net::IpAddr};

use serde_json::Value;
use tenantry_domain::ids::{AuditEventId, OrganizationId, UserId};
use tenantry_postgres::{
    DatabaseError, Scoped, SystemTx,
    audit::{self, NewAuditEvent},
};
use uuid::Uuid;

pub use self::{
    checkpoints::{Checkpoint, CheckpointError, CheckpointLog, write_checkpoints},
    keeper::{Keeping, keep},
    personal::{Personal, find_personal},
    retention::drop_old,
    seals::seal_log,
    verification::{
        CheckpointCounts, CheckpointReadError, LogCounts, PlacedLine, Progress, verify_checkpoints, verify_log,
    },
};
use crate::App;

/// One act, as a use case describes it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Act {
    action: &'static str,
    actor: String,
    organization: Option<OrganizationId>,
    user: Option<UserId>,
    address: Option<IpAddr>,
    target: Option<String>,
    body: Value,
}

impl Act {
    /// `action` is a noun and what became of it (`session.started`); `actor` is an id, or what acted on its own.
    pub fn new(action: &'static str, actor: impl Display) -> Self {
        let body = Value::Object(serde_json::Map::new());
        Self {
            action,
            actor: actor.to_string(),
            organization: None,
            user: None,
            address: None,
            target: None,
            body,
        }
    }

    /// The organization in whose log it appears.
    pub fn organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// The user whom it concerns.
    pub fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// Where from. It is sealed, so an act that has it is recorded in the person's own scope or the system's.
    pub fn address(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// What it was done to.
    pub fn target(mut self, target: impl Display) -> Self {
        self.target = Some(target.to_string());
        self
    }

    /// What else should be known. Never a secret.
    pub fn body(mut self, body: Value) -> Self {
        self.body = body;
        self
    }
}

/// Writes one act down, in the caller's transaction: `record(app, &mut tx, Act::new(…))`.
///
/// # Errors
/// The database's.
pub async fn record<T: Scoped>(app: &App, tx: &mut T, act: Act) -> Result<(), DatabaseError> {
    let id = AuditEventId::from_uuid(Uuid::now_v7());
    let sealed = match act.address {
        Some(address) => Some(personal::seal(app, tx, act.user, id, &Personal { address }).await?),
        None => None,
    };
    audit::insert(
        tx.session(),
        &NewAuditEvent {
            id,
            organization: act.organization,
            user: act.user,
            action: act.action,
            actor: &act.actor,
            sealed_personal: sealed.as_deref(),
            target: act.target.as_deref(),
            body: &act.body,
            at: app.clock.now(),
        },
    )
    .await
}

/// Makes what the log keeps of a person beside their acts unreadable for good. Called last: recording an act of theirs
/// would make a new key.
///
/// # Errors
/// The database's.
pub async fn forget_person(tx: &mut SystemTx, user: UserId) -> Result<(), DatabaseError> {
    audit::delete_key(tx, user.uuid()).await
}

/// Writes one act of an operator down where its customer finds it: in the log of every organization that the customer
/// belongs to, and in the customer's own.
///
/// # Errors
/// The database's.
pub async fn record_for_customer(
    app: &App,
    tx: &mut SystemTx,
    act: Act,
    organizations: &[OrganizationId],
) -> Result<(), DatabaseError> {
    for organization in organizations {
        record(app, &mut *tx, act.clone().organization(*organization)).await?;
    }
    record(app, tx, act).await
}
