//! How a run writes: records and moves together, hooks in the same transaction.

use serde_json::Value;
use sqlx::{PgPool, Postgres, Transaction};

use super::{Halt, Run};
use crate::engine::journal::{Hold, NewRecord, Write};
use crate::error::Failure;
use crate::log::{Record, RecordKind, RecordedFailure, StepHistory};
use crate::operation::Outcome;
use crate::probe::Moment;
use crate::registry::{LoadedOperation, StepPlan};
use crate::state::OperationState;

pub(super) enum Hook<'a> {
    Start,
    Settled(&'a Outcome),
}

impl Run<'_> {
    pub(super) async fn lay_down(&mut self, state: OperationState, hold: Hold) -> Result<(), Halt> {
        let error = self.failure_to_write();
        self.write(state, hold, error.as_ref()).await
    }

    pub(super) async fn write(&mut self, state: OperationState, hold: Hold, error: Option<&Value>) -> Result<(), Halt> {
        let write = self.prepare(state, hold, error);
        if !self.journal.write(&self.journal.pool, &write).await? {
            return Err(Halt::Superseded);
        }
        self.written(state).await;
        Ok(())
    }

    pub(super) async fn write_with_hook(
        &mut self,
        state: OperationState,
        hold: Hold,
        error: Option<Value>,
        hook: Hook<'_>,
        loaded: &dyn LoadedOperation,
    ) -> Result<(), Halt> {
        let mut tx = begin(&self.journal.pool).await?;
        let write = self.prepare(state, hold, error.as_ref());
        if !self.journal.write(&mut *tx, &write).await? {
            return Err(Halt::Superseded);
        }
        match hook {
            Hook::Start => loaded.on_start(&mut tx).await,
            Hook::Settled(outcome) => loaded.on_settled(&mut tx, outcome).await,
        }
        .map_err(Halt::Hook)?;
        // Deferred constraints of the caller's tables speak up here.
        tx.commit().await.map_err(|error| match error {
            sqlx::Error::Database(_) => Halt::Hook(error.into()),
            _ => Halt::Database(error),
        })?;
        self.written(state).await;
        Ok(())
    }

    fn prepare<'w>(&'w self, state: OperationState, hold: Hold, error: Option<&'w Value>) -> Write<'w> {
        Write {
            id: self.row.id,
            epoch: self.row.epoch,
            state,
            hold,
            error,
            records: &self.pending,
        }
    }

    async fn written(&mut self, state: OperationState) {
        self.state = state;
        self.is_failure_pending = false;
        self.pending.clear();
        if let Some((step, phase)) = self.finished.take() {
            self.reach(step, phase, Moment::Done).await;
        }
    }

    /// Adds to the log at once: decisions go by it. Nothing acts before the record is also written.
    pub(super) fn push(
        &mut self,
        plan: &StepPlan,
        kind: RecordKind,
        attempt: u32,
        output: Option<Value>,
        error: Option<Value>,
    ) {
        let seq = self.log.next_seq();
        self.log.add(&Record {
            seq,
            step: plan.name.to_owned(),
            phase: self.phase,
            record: kind,
            output: output.clone(),
            error: error.clone(),
            at: self.now(),
        });
        let (step, phase) = (plan.name, self.phase);
        self.pending.push(NewRecord {
            seq,
            step,
            phase,
            record: kind,
            attempt,
            output,
            error,
        });
    }

    pub(super) fn push_failure(&mut self, plan: &StepPlan, history: &StepHistory, failure: Failure, is_final: bool) {
        let recorded = serde_json::to_value(RecordedFailure { failure, is_final }).ok();
        self.push(plan, RecordKind::Failed, history.starts, None, recorded);
    }
}

/// In a task that goes on when this operation's lease is lost meanwhile: sqlx 0.9.0 would put the connection back into the
/// pool with the transaction open (<https://github.com/transact-rs/sqlx/pull/4394>).
async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.begin().await })
        .await
        .unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
