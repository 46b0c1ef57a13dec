use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::{Failure, StepError};
use crate::log::{Met, Phase};
use crate::operation::{Operation, Step};
use crate::state::OperationState;

/// Outputs of finished steps by the step's name.
pub(crate) type Outputs = HashMap<String, Value>;

/// One row of `operations`, as claimed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct OperationRow {
    pub(crate) id: Uuid,
    pub(crate) organization_id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) kind: String,
    pub(crate) params: Value,
    pub(crate) state: OperationState,
    pub(crate) attempt: i32,
    pub(crate) epoch: i64,
    pub(crate) deadline_at: Option<DateTime<Utc>>,
    pub(crate) cause: String,
    pub(crate) actor: String,
    pub(crate) trace_id: Option<String>,
    pub(crate) error: Option<Value>,
    pub(crate) claimed_at: DateTime<Utc>,
}

/// What steps and hooks know about the operation.
pub struct OperationContext<O: Operation> {
    pub(crate) context: Arc<O::Context>,
    pub(crate) row: Arc<OperationRow>,
    pub(crate) params: Arc<O::Params>,
    pub(crate) outputs: Arc<Outputs>,
}

impl<O: Operation> Clone for OperationContext<O> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            row: self.row.clone(),
            params: self.params.clone(),
            outputs: self.outputs.clone(),
        }
    }
}

impl<O: Operation> OperationContext<O> {
    pub fn context(&self) -> &O::Context {
        &self.context
    }

    pub fn params(&self) -> &O::Params {
        &self.params
    }

    /// Belongs on every effect outside, so that a late one is recognised.
    pub fn id(&self) -> Uuid {
        self.row.id
    }

    /// Whose it is: the column `organization_id`.
    pub fn scope(&self) -> Uuid {
        self.row.organization_id
    }

    /// What it works on: the column `tenant_id`.
    pub fn subject(&self) -> Uuid {
        self.row.tenant_id
    }

    /// Grows each time a worker takes the operation over.
    pub fn epoch(&self) -> i64 {
        self.row.epoch
    }

    /// From 1; grows each time a person retries it after it was stuck.
    pub fn operation_attempt(&self) -> i32 {
        self.row.attempt
    }

    /// Why it was queued, as the caller put it.
    pub fn cause(&self) -> &str {
        &self.row.cause
    }

    /// Who asked for it, as the caller put it.
    pub fn actor(&self) -> &str {
        &self.row.actor
    }

    /// The W3C `traceparent` under which it was queued.
    pub fn trace_id(&self) -> Option<&str> {
        self.row.trace_id.as_deref()
    }

    /// What step `S` returned. For the steps before this one; a missing output gives up.
    pub fn output<S: Step<O>>(&self) -> Result<S::Output, StepError> {
        self.find_output::<S>()?.ok_or_else(|| {
            Failure::new("output_missing", "An earlier step has no result to go on from.")
                .technical(format_args!("step {} has not finished", S::NAME))
                .into_give_up()
        })
    }

    /// What step `S` returned, or nothing if it has not finished. For undo, where its own step may not have.
    pub fn find_output<S: Step<O>>(&self) -> Result<Option<S::Output>, StepError> {
        let Some(output) = self.outputs.get(S::NAME) else {
            return Ok(None);
        };
        serde_json::from_value(output.clone()).map(Some).map_err(|error| {
            Failure::new(
                "output_unreadable",
                "An earlier step's result was written by another release.",
            )
            .technical(format_args!("step {}: {error}", S::NAME))
            .into_give_up()
        })
    }
}

/// What one try of a step knows: the operation, which try it is, and whether it is still allowed to act.
pub struct StepContext<O: Operation> {
    pub(crate) operation: OperationContext<O>,
    pub(crate) attempt: StepTry,
}

#[derive(Debug, Clone)]
pub(crate) struct StepTry {
    pub(crate) number: u32,
    pub(crate) phase: Phase,
    pub(crate) pool: PgPool,
    /// What earlier tries waited for.
    pub(crate) met: Met,
    /// When the try began, by the database's clock.
    pub(crate) began_at: DateTime<Utc>,
}

impl<O: Operation> Deref for StepContext<O> {
    type Target = OperationContext<O>;

    fn deref(&self) -> &Self::Target {
        &self.operation
    }
}

impl<O: Operation> StepContext<O> {
    /// Which try of this step and phase this is, from 1; tries that a crash cut short count.
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    pub fn phase(&self) -> Phase {
        self.attempt.phase
    }

    /// For how long this step has said *not yet* with this code: nothing when it has not, or when it said something else
    /// for longer than `overlooked` since.
    pub fn waited_for(&self, code: &str, overlooked: TimeDelta) -> TimeDelta {
        let now = self.attempt.began_at;
        let since = self.attempt.met.since(code, overlooked, now);
        since.map_or(TimeDelta::zero(), |since| now - since)
    }

    /// Makes what the caller writes in this transaction happen under our epoch and lease, or not at all: nobody takes the
    /// operation over until the transaction ends. Keep it short.
    pub async fn fence_in(&self, tx: &mut PgConnection) -> Result<(), StepError> {
        // A share lock, since a claim updates the row: a weaker one would let it pass.
        let held: Option<i32> = sqlx::query_scalar(
            "select 1 from operations where id = $1 and epoch = $2 and lease_until > clock_timestamp() for share",
        )
        .persistent(false)
        .bind(self.id())
        .bind(self.epoch())
        .fetch_optional(tx)
        .await?;
        held.map(drop).ok_or(StepError::Superseded)
    }

    /// Whether the operation is still ours. Call it right before an effect that cannot be fenced otherwise; it costs
    /// one round trip.
    ///
    /// The answer counts only for as long as it says: a process that was paused right after it was given must not act
    /// on it when it wakes, because somebody else may long have done and undone the step.
    pub async fn fence(&self) -> Result<(), StepError> {
        loop {
            let asked = Instant::now();
            let held_secs: Option<f64> = sqlx::query_scalar(
                "select extract(epoch from lease_until - clock_timestamp())::float8 from operations \
                 where id = $1 and epoch = $2 and lease_until > clock_timestamp()",
            )
            .bind(self.id())
            .bind(self.epoch())
            .fetch_optional(&self.attempt.pool)
            .await?;
            let Some(held_secs) = held_secs else {
                return Err(StepError::Superseded);
            };
            if asked.elapsed().as_secs_f64() < held_secs {
                return Ok(());
            }
        }
    }
}
