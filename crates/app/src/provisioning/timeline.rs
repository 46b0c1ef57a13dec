//! An operation as people see it: its steps in words, with times, and how long they usually take.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use tenantry_domain::ids::{OperationId, OrganizationId, TenantId};
use tenantry_operations::{Failure, Progress, Registry, StepProgress, StepState, load_progress};
use tenantry_postgres::{DatabaseError, provisioning::operations};

use super::{reader::Reader, register_operations, usual::Medians};
use crate::{App, error::Fault};

/// An operation with its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperationView {
    /// Its identifier.
    pub id: OperationId,
    /// Whose tenant.
    pub organization: OrganizationId,
    /// On which tenant.
    pub tenant: TenantId,
    /// Which kind.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// Why it was queued.
    pub cause: String,
    /// Who wanted it.
    pub actor: String,
    /// From 1; grows when a person retries it.
    pub attempt: i32,
    /// Its W3C trace context.
    pub trace: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When its first step began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it looks again, while it sleeps.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Why it went back or is stuck.
    pub failure: Option<Failure>,
    /// In their order, those to come included.
    pub steps: Vec<StepView>,
    /// How far its log reaches; grows with every change of a step.
    pub last_record: i32,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    /// Its stable name.
    pub name: String,
    /// What it does, in words.
    pub title: &'static str,
    /// Where it stands.
    pub state: StepViewState,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, undone or given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// How long it took, waiting included.
    pub duration: Option<Duration>,
    /// How long it usually takes.
    pub usual: Option<Duration>,
    /// How often it was begun.
    pub attempts: u32,
    /// Why it failed, or failed last.
    pub failure: Option<Failure>,
    /// What it waits for: in words for the customer, and in those of the cluster for operators.
    pub waiting_for: Option<Failure>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepViewState {
    /// To come.
    Pending,
    /// At work.
    Running,
    /// Something is not ready, or a try failed and the next one comes.
    Waiting,
    /// Done.
    Done,
    /// Gave up.
    Failed,
    /// Being taken back.
    Undoing,
    /// Taken back.
    Undone,
}

impl From<StepState> for StepViewState {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Pending => Self::Pending,
            StepState::Running => Self::Running,
            StepState::Waiting | StepState::Retrying => Self::Waiting,
            StepState::Done => Self::Done,
            StepState::Failed | StepState::UndoFailed => Self::Failed,
            StepState::Undoing => Self::Undoing,
            StepState::Undone => Self::Undone,
        }
    }
}

impl OperationView {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.state.as_str(), "done" | "undone")
    }
}

/// What a step does, in words.
#[must_use]
pub fn step_title(name: &str) -> &'static str {
    match name {
        "namespace" => "Set aside a place of its own",
        "network_policies" => "Close it to the network, except for what it needs",
        "quota" => "Apply the plan's limits",
        "service_account" => "Create an account without rights",
        "secrets" => "Create passwords and keys",
        "release" => "Install the product",
        "ready" => "Wait for the product to start",
        "probe" => "Visit the site from outside",
        "host" => "Assign the address",
        "welcome" => "Send the welcome mail",
        "uninstall" => "Uninstall the product",
        "remove_secrets" => "Remove passwords and keys",
        "remove_service_account" => "Remove the account",
        "remove_quota" => "Lift the plan's limits",
        "remove_network_policies" => "Remove the network rules",
        "remove_namespace" => "Clear the place",
        "forget" => "Release the address and destroy what was sealed",
        _ => "A step of another release",
    }
}

/// The steps of each kind, for showing those to come.
static STEPS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let registry = register_operations(Registry::new()).unwrap_or_default();
    ["provision", "deprovision"]
        .into_iter()
        .filter_map(|kind| Some((kind, registry.step_names(kind)?)))
        .collect()
});

/// What the ledger says of an operation.
struct Found {
    row: operations::OperationRow,
    progress: Progress,
    last_record: i32,
}

/// An operation as it stands, if the reader may see it.
///
/// # Errors
/// When the ledger does not answer.
pub async fn find_operation(app: &App, reader: Reader, id: OperationId) -> Result<Option<OperationView>, Fault> {
    let found = match reader {
        Reader::Organization(organization) => {
            let mut tx = app.database.read_organization(organization).await?;
            let found = load(tx.connection(), id).await?;
            tx.commit().await?;
            found
        }
        Reader::Operator => {
            let mut tx = app.database.read_system("show an operation to an operator").await?;
            let found = load(tx.connection(), id).await?;
            tx.commit().await?;
            found
        }
    };
    let Some(found) = found else { return Ok(None) };
    let usual = app.usual_durations().of(app, &found.progress.kind).await?;
    Ok(Some(view(found, &usual)))
}

/// What the transaction sees of an operation.
async fn load(connection: &mut PgConnection, id: OperationId) -> Result<Option<Found>, DatabaseError> {
    let Some(row) = operations::find(&mut *connection, id).await? else {
        return Ok(None);
    };
    let last_record = operations::last_record(&mut *connection, id).await?;
    let progress = load_progress(connection, id.uuid()).await?;
    Ok(progress.map(|progress| Found {
        row,
        progress,
        last_record,
    }))
}

fn view(found: Found, usual: &Medians) -> OperationView {
    let Found {
        row,
        progress,
        last_record,
    } = found;
    let plan = STEPS.get(progress.kind.as_str()).map(Vec::as_slice).unwrap_or_default();
    let progress = progress.with_plan(plan);
    OperationView {
        id: row.id,
        organization: row.organization,
        tenant: row.tenant,
        kind: progress.kind,
        state: progress.state.as_str().to_owned(),
        cause: progress.cause,
        actor: progress.actor,
        attempt: progress.attempt,
        trace: progress.trace_id,
        created_at: progress.created_at,
        started_at: progress.started_at,
        ended_at: progress.ended_at,
        next_attempt_at: progress.wake_at,
        failure: progress.failure,
        steps: progress.steps.into_iter().map(|step| step_view(step, usual)).collect(),
        last_record,
    }
}

fn step_view(step: StepProgress, usual: &Medians) -> StepView {
    let state = StepViewState::from(step.state);
    let is_waiting = state == StepViewState::Waiting;
    StepView {
        title: step_title(&step.name),
        duration: step
            .started_at
            .zip(step.ended_at)
            .and_then(|(from, to)| (to - from).to_std().ok()),
        usual: usual.get(&step.name).copied(),
        name: step.name,
        state,
        started_at: step.started_at,
        ended_at: step.ended_at,
        attempts: step.attempts.max(step.undo_attempts),
        // A failure that another try made good is no longer news.
        failure: if state == StepViewState::Done {
            None
        } else {
            step.undo_failure.or(step.failure)
        },
        waiting_for: step.waiting_for.filter(|_| is_waiting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_title() {
        for steps in STEPS.values() {
            assert!(!steps.is_empty());
            for step in steps {
                assert_ne!(step_title(step), step_title(""), "{step}");
            }
        }
    }
}
