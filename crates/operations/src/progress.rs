//! What a person sees of an operation: the log as a timeline.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Failure;
use crate::log::{LoggedStep, Record, StepHistory, StepLog};
use crate::state::OperationState;

#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    pub id: Uuid,
    pub kind: String,
    pub state: OperationState,
    /// From 1; grows with each retry after it was stuck.
    pub attempt: i32,
    pub cause: String,
    pub actor: String,
    pub trace_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// When it looks again, while it sleeps.
    pub wake_at: Option<DateTime<Utc>>,
    /// Why it goes or went back, or is stuck.
    pub failure: Option<Failure>,
    /// In the order in which they began; those still to come only after [`Progress::with_plan`].
    pub steps: Vec<StepProgress>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepProgress {
    pub name: String,
    pub state: StepState,
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, undone or given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// Starts, doing and undoing apart.
    pub attempts: u32,
    pub undo_attempts: u32,
    /// What it waits for.
    pub waiting_for: Option<Failure>,
    /// The last failure, also of a step that has succeeded since.
    pub failure: Option<Failure>,
    pub undo_failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Running,
    /// It said *not yet*.
    Waiting,
    /// A try failed, the next one comes.
    Retrying,
    Done,
    /// It gave up; its undo has not begun.
    Failed,
    Undoing,
    Undone,
    UndoFailed,
}

impl Progress {
    /// Adds the steps that have not begun, for an operation that is still going forward. `names` as from
    /// [`Registry::step_names`](crate::Registry::step_names).
    #[must_use]
    pub fn with_plan(mut self, names: &[&str]) -> Self {
        if matches!(
            self.state,
            OperationState::Queued | OperationState::Running | OperationState::Waiting
        ) {
            for name in names {
                if !self.steps.iter().any(|step| step.name == *name) {
                    self.steps.push(StepProgress::pending(name));
                }
            }
        }
        self
    }
}

impl StepProgress {
    fn pending(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: StepState::Pending,
            started_at: None,
            ended_at: None,
            attempts: 0,
            undo_attempts: 0,
            waiting_for: None,
            failure: None,
            undo_failure: None,
        }
    }

    fn of(step: &LoggedStep) -> Self {
        let is_undo = step.undoing.starts > 0;
        let current = if is_undo { &step.undoing } else { &step.doing };
        let state = if is_undo {
            undo_state(current)
        } else {
            do_state(current)
        };
        let ended_at = match state {
            StepState::Done | StepState::Undone => current.done_at,
            StepState::Failed | StepState::UndoFailed => current.last_at,
            _ => None,
        };
        Self {
            name: step.name.clone(),
            state,
            started_at: step.doing.first_started_at,
            ended_at,
            attempts: step.doing.starts,
            undo_attempts: step.undoing.starts,
            waiting_for: current.not_yet.clone(),
            failure: step.doing.last_failure.clone(),
            undo_failure: step.undoing.last_failure.clone(),
        }
    }
}

fn do_state(history: &StepHistory) -> StepState {
    if history.is_done() {
        StepState::Done
    } else if history.gave_up {
        StepState::Failed
    } else if history.is_open {
        StepState::Running
    } else if history.not_yet.is_some() {
        StepState::Waiting
    } else if history.failures > 0 {
        StepState::Retrying
    } else {
        StepState::Pending
    }
}

fn undo_state(history: &StepHistory) -> StepState {
    if history.is_done() {
        StepState::Undone
    } else if history.gave_up {
        StepState::UndoFailed
    } else {
        StepState::Undoing
    }
}

fn steps_of(records: &[Record]) -> Vec<StepProgress> {
    StepLog::fold(records).steps().iter().map(StepProgress::of).collect()
}

#[derive(sqlx::FromRow)]
struct ProgressRow {
    id: Uuid,
    kind: String,
    state: OperationState,
    attempt: i32,
    cause: String,
    actor: String,
    trace_id: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    wake_at: DateTime<Utc>,
    is_asleep: bool,
    error: Option<Value>,
}

/// The operation as it stands, or nothing if it is not visible in this transaction.
pub async fn load_progress(tx: &mut PgConnection, operation: Uuid) -> Result<Option<Progress>, sqlx::Error> {
    let row: Option<ProgressRow> = sqlx::query_as(
        "select id, kind, state, attempt, cause, actor, trace_id, created_at, started_at, ended_at, wake_at, \
             state in ('waiting', 'undoing') and lease_until is null as is_asleep, error \
         from operations where id = $1",
    )
    .persistent(false)
    .bind(operation)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let records: Vec<Record> = sqlx::query_as(
        "select seq, step, phase, record, null::jsonb as output, error, at \
         from operation_steps where operation_id = $1 order by seq",
    )
    .persistent(false)
    .bind(operation)
    .fetch_all(tx)
    .await?;
    Ok(Some(Progress {
        id: row.id,
        kind: row.kind,
        state: row.state,
        attempt: row.attempt,
        cause: row.cause,
        actor: row.actor,
        trace_id: row.trace_id,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        wake_at: row.is_asleep.then_some(row.wake_at),
        failure: row.error.and_then(|error| serde_json::from_value(error).ok()),
        steps: steps_of(&records),
    }))
}

/// How long a step of this kind usually takes, waiting included.
#[derive(Debug, Clone, PartialEq)]
pub struct UsualDuration {
    pub step: String,
    pub median: Duration,
}

/// The median of each step over the latest 50 operations of this kind that are done.
pub async fn usual_durations(tx: &mut PgConnection, kind: &str) -> Result<Vec<UsualDuration>, sqlx::Error> {
    let rows: Vec<(String, f64)> = sqlx::query_as(
        "with latest as ( \
             select id from operations where kind = $1 and state = 'done' order by ended_at desc limit 50 \
         ), spans as ( \
             select s.step, min(s.seq) as first_seq, \
                 max(s.at) filter (where s.record = 'done') - min(s.at) as took \
             from operation_steps s join latest on latest.id = s.operation_id \
             where s.phase = 'do' \
             group by s.operation_id, s.step \
         ) \
         select step, percentile_cont(0.5) within group (order by extract(epoch from took)::float8) \
         from spans where took is not null group by step order by min(first_seq), step",
    )
    .persistent(false)
    .bind(kind)
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(step, secs)| UsualDuration {
            step,
            median: Duration::from_secs_f64(secs.max(0.0)),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Phase;
    use crate::log::RecordKind::{Done, NotYet, Started};
    use crate::log::fixtures::{failed, record};

    fn states(records: &[Record]) -> Vec<(String, StepState)> {
        steps_of(records)
            .into_iter()
            .map(|step| (step.name, step.state))
            .collect()
    }

    #[test]
    fn a_timeline_grows_record_by_record() {
        let records = [
            record(0, "a", Phase::Do, Started),
            record(1, "a", Phase::Do, NotYet),
            record(2, "a", Phase::Do, Done),
            record(3, "b", Phase::Do, Started),
            failed(4, "b", Phase::Do, "busy", false),
            record(5, "b", Phase::Do, Started),
            failed(6, "b", Phase::Do, "broken", true),
            record(7, "b", Phase::Undo, Started),
            record(8, "b", Phase::Undo, Done),
            record(9, "a", Phase::Undo, Started),
            failed(10, "a", Phase::Undo, "stays", true),
        ];
        let expected = [
            vec![("a", StepState::Running)],
            vec![("a", StepState::Waiting)],
            vec![("a", StepState::Done)],
            vec![("a", StepState::Done), ("b", StepState::Running)],
            vec![("a", StepState::Done), ("b", StepState::Retrying)],
            vec![("a", StepState::Done), ("b", StepState::Running)],
            vec![("a", StepState::Done), ("b", StepState::Failed)],
            vec![("a", StepState::Done), ("b", StepState::Undoing)],
            vec![("a", StepState::Done), ("b", StepState::Undone)],
            vec![("a", StepState::Undoing), ("b", StepState::Undone)],
            vec![("a", StepState::UndoFailed), ("b", StepState::Undone)],
        ];
        for (count, expected) in expected.iter().enumerate() {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, state)| ((*name).to_owned(), *state))
                .collect();
            assert_eq!(states(&records[..=count]), expected, "after {} records", count + 1);
        }
        let steps = steps_of(&records);
        assert_eq!(steps[1].attempts, 2);
        assert_eq!(steps[1].failure.as_ref().unwrap().code, "broken");
        assert_eq!(steps[0].undo_failure.as_ref().unwrap().code, "stays");
        assert_eq!(steps[0].started_at, Some(records[0].at));
        assert_eq!(steps[0].ended_at, Some(records[10].at));
    }
}
