//! One operation from its claim to its next pause or its end.

mod write;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use serde_json::Value;
use tracing::Instrument;

use self::write::Hook;
use super::decide::{self, Next, Verdict};
use super::journal::{Claimed, Hold, Journal, NewRecord};
use crate::context::{OperationRow, StepTry};
use crate::dispatch::Lease;
use crate::error::{Failure, StepError};
use crate::log::{Phase, RecordKind, StepHistory, StepLog};
use crate::operation::{HookError, Outcome};
use crate::probe::{Moment, Point, Probe};
use crate::registry::{AnyOperation, LoadedOperation, StepPlan};
use crate::state::OperationState;

/// How long to leave an operation alone whose hook failed.
const HOOK_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Run<'a> {
    journal: &'a Journal,
    probe: Option<&'a dyn Probe>,
    lease: &'a Lease,
    steps: &'a [StepPlan],
    row: Arc<OperationRow>,
    claimed_at: std::time::Instant,
    log: StepLog,
    phase: Phase,
    state: OperationState,
    /// Why it goes back.
    failure: Option<Failure>,
    /// Not yet written: they go with the next move, in one statement.
    pending: Vec<NewRecord>,
    /// `failure` is news to the database.
    is_failure_pending: bool,
    /// Whose outcome is among the pending records.
    finished: Option<(&'static str, Phase)>,
}

/// Why a run ends without a move of its own.
enum Halt {
    Superseded,
    Database(sqlx::Error),
    Hook(HookError),
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// A step's try that is about to run.
struct Try {
    index: usize,
    plan: StepPlan,
    history: StepHistory,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        journal: &'a Journal,
        probe: Option<&'a dyn Probe>,
        lease: &'a Lease,
        steps: &'a [StepPlan],
        claimed: Claimed,
    ) -> Self {
        let state = claimed.row.state;
        let phase = if state == OperationState::Undoing {
            Phase::Undo
        } else {
            Phase::Do
        };
        let failure = claimed
            .row
            .error
            .as_ref()
            .and_then(|error| serde_json::from_value(error.clone()).ok());
        Self {
            journal,
            probe,
            lease,
            steps,
            log: StepLog::fold(&claimed.records),
            row: Arc::new(claimed.row),
            claimed_at: claimed.at,
            phase,
            state,
            failure,
            pending: Vec::new(),
            is_failure_pending: false,
            finished: None,
        }
    }

    pub(super) async fn until_pause<C>(mut self, operation: &dyn AnyOperation<C>, context: Arc<C>) -> Option<Duration> {
        let lease = self.lease;
        let ended = tokio::select! {
            biased;
            () = lease.lost() => Err(Halt::Superseded),
            ended = self.advance(operation, context) => ended,
        };
        match ended {
            Ok(pause) => pause,
            Err(Halt::Superseded) => {
                tracing::info!("another worker holds this operation now");
                None
            }
            Err(Halt::Database(error)) => {
                tracing::error!(%error, "lost the database; the log will tell where to go on");
                None
            }
            Err(Halt::Hook(error)) => self.after_hook_failure(&error).await,
        }
    }

    async fn advance<C>(&mut self, operation: &dyn AnyOperation<C>, context: Arc<C>) -> Result<Option<Duration>, Halt> {
        let outputs = self
            .log
            .steps()
            .iter()
            .filter_map(|step| Some((step.name.clone(), step.output.clone()?)))
            .collect();
        let mut loaded = match operation.load(context, self.row.clone(), outputs) {
            Ok(loaded) => loaded,
            Err(failure) => return self.stick(None, failure).await,
        };
        loop {
            match decide::next(self.steps, &self.log, self.phase) {
                Next::Settle => return self.settle(&*loaded).await,
                Next::Unknown(step) => {
                    let failure = Failure::new(
                        "unknown_step",
                        "This release does not know a step that has to be undone.",
                    )
                    .technical(step);
                    return self.stick(Some(&*loaded), failure).await;
                }
                Next::Step(index) => {
                    if let Some(pause) = self.try_step(index, &mut *loaded).await? {
                        return Ok(pause);
                    }
                }
            }
        }
    }

    /// One try of one step. Nothing: go on with the next. Otherwise the run ends, with or without a pause to wait for.
    async fn try_step(
        &mut self,
        index: usize,
        loaded: &mut dyn LoadedOperation,
    ) -> Result<Option<Option<Duration>>, Halt> {
        let plan = self.steps[index];
        let policy = plan.policy(self.phase);
        let history = self.log.history(plan.name, self.phase);
        if let Some(failure) = decide::refusal(&history, policy, self.now(), self.deadline_at()) {
            return self.give_up(&plan, &history, failure, loaded).await;
        }
        if self.lease.is_stopping() {
            self.lay_down(self.state, Hold::Release(Duration::ZERO)).await?;
            return Ok(Some(None));
        }
        let attempt = self.begin(index, plan, history, loaded).await?;
        let result = self.run_try(&attempt, loaded).await;
        self.reach(plan.name, self.phase, Moment::Effect).await;
        let (now, deadline_at) = (self.now(), self.deadline_at());
        let verdict = decide::judge(result, &attempt.history, policy, now, deadline_at, rand::random());
        self.conclude(attempt, verdict, loaded).await
    }

    /// Writes *started*, together with how the step before ended.
    async fn begin(
        &mut self,
        index: usize,
        plan: StepPlan,
        history: StepHistory,
        loaded: &dyn LoadedOperation,
    ) -> Result<Try, Halt> {
        let is_asking_again = history.not_yet.is_some() && !history.is_open;
        if !is_asking_again {
            self.push(&plan, RecordKind::Started, history.starts + 1, None, None);
        }
        if self.state == OperationState::Queued {
            self.write_with_hook(OperationState::Running, Hold::Keep, None, Hook::Start, loaded)
                .await?;
        } else if !self.pending.is_empty() {
            let error = self.failure_to_write();
            self.write(self.state, Hold::Keep, error.as_ref()).await?;
        }
        self.reach(plan.name, self.phase, Moment::Started).await;
        Ok(Try {
            index,
            plan,
            history: self.log.history(plan.name, self.phase),
        })
    }

    async fn run_try(&self, attempt: &Try, loaded: &dyn LoadedOperation) -> Result<Value, StepError> {
        let number = attempt.history.starts;
        let span = tracing::info_span!(
            "step",
            step = attempt.plan.name,
            phase = self.phase.as_str(),
            attempt = number
        );
        let step_try = StepTry {
            number,
            phase: self.phase,
            pool: self.journal.pool.clone(),
            met: attempt.history.met.clone(),
            began_at: self.now(),
        };
        let timeout = attempt.plan.policy(self.phase).attempt_timeout;
        let work = AssertUnwindSafe(loaded.run(attempt.index, step_try).instrument(span)).catch_unwind();
        match tokio::time::timeout(timeout, work).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(Failure::from_panic(&*panic).into_retry()),
            Err(_) => Err(Failure::new("step_timed_out", "This step took longer than it may.")
                .technical(format_args!("cut off after {timeout:?}"))
                .into_retry()),
        }
    }

    async fn conclude(
        &mut self,
        attempt: Try,
        verdict: Verdict,
        loaded: &mut dyn LoadedOperation,
    ) -> Result<Option<Option<Duration>>, Halt> {
        let Try { plan, history, .. } = attempt;
        match verdict {
            Verdict::Superseded => Err(Halt::Superseded),
            Verdict::Done(output) => {
                let output = (self.phase == Phase::Do && !output.is_null()).then_some(output);
                if self.phase == Phase::Do {
                    loaded.keep_output(plan.name, output.clone().unwrap_or(Value::Null));
                }
                self.push(&plan, RecordKind::Done, history.starts, output, None);
                self.finished = Some((plan.name, self.phase));
                Ok(None)
            }
            Verdict::Again { failure, pause } => {
                tracing::info!(step = plan.name, phase = self.phase.as_str(), %failure, technical = failure.technical,
                    ?pause, "a try failed, another follows");
                self.push_failure(&plan, &history, failure, false);
                self.pause(&plan, Hold::Release(pause), pause).await
            }
            Verdict::NotYet { obstacle, pause } => {
                if history.not_yet.as_ref() != Some(&obstacle) {
                    let obstacle = serde_json::to_value(obstacle).ok();
                    self.push(&plan, RecordKind::NotYet, history.starts, None, obstacle);
                }
                self.pause(&plan, Hold::Await(pause), pause).await
            }
            Verdict::GiveUp(failure) => self.give_up(&plan, &history, failure, loaded).await,
        }
    }

    async fn pause(&mut self, plan: &StepPlan, hold: Hold, pause: Duration) -> Result<Option<Option<Duration>>, Halt> {
        self.finished = Some((plan.name, self.phase));
        let asleep = if self.phase == Phase::Do {
            OperationState::Waiting
        } else {
            OperationState::Undoing
        };
        self.lay_down(asleep, hold).await?;
        Ok(Some(Some(pause)))
    }

    /// Forward: turns round. Backward: stuck.
    async fn give_up(
        &mut self,
        plan: &StepPlan,
        history: &StepHistory,
        failure: Failure,
        loaded: &dyn LoadedOperation,
    ) -> Result<Option<Option<Duration>>, Halt> {
        if history.starts > 0 {
            self.push_failure(plan, history, failure.clone(), true);
            self.finished = Some((plan.name, self.phase));
        }
        if self.phase == Phase::Undo {
            return self.stick(Some(loaded), failure).await.map(Some);
        }
        tracing::warn!(step = plan.name, %failure, technical = failure.technical, "giving up, undoing");
        self.phase = Phase::Undo;
        if self.state != OperationState::Queued {
            self.state = OperationState::Undoing;
        }
        self.failure = Some(failure);
        self.is_failure_pending = true;
        Ok(None)
    }

    async fn settle(&mut self, loaded: &dyn LoadedOperation) -> Result<Option<Duration>, Halt> {
        let (state, outcome) = match self.phase {
            Phase::Do => (OperationState::Done, Outcome::Done),
            Phase::Undo => (OperationState::Undone, Outcome::Undone { failure: self.cause() }),
        };
        let error = self.failure_to_write();
        self.write_with_hook(
            state,
            Hold::Release(Duration::ZERO),
            error,
            Hook::Settled(&outcome),
            loaded,
        )
        .await?;
        tracing::info!(state = state.as_str(), "operation ended");
        Ok(None)
    }

    /// Without `loaded` the hooks cannot be called: the parameters are unreadable.
    async fn stick(
        &mut self,
        loaded: Option<&dyn LoadedOperation>,
        failure: Failure,
    ) -> Result<Option<Duration>, Halt> {
        tracing::error!(%failure, technical = failure.technical, "operation is stuck and waits for a person");
        let mut error = serde_json::to_value(&failure).ok();
        if self.phase == Phase::Undo {
            // Kept for the retry, which goes on undoing for the same reason.
            if let (Some(Value::Object(error)), Ok(cause)) = (&mut error, serde_json::to_value(self.cause())) {
                error.insert("cause".into(), cause);
            }
        }
        let hold = Hold::Release(Duration::ZERO);
        match loaded {
            Some(loaded) => {
                let outcome = Outcome::Stuck { failure };
                self.write_with_hook(OperationState::Stuck, hold, error, Hook::Settled(&outcome), loaded)
                    .await?;
            }
            None => self.write(OperationState::Stuck, hold, error.as_ref()).await?,
        }
        Ok(None)
    }

    /// Everything that is known is written and the operation left alone for a while.
    async fn after_hook_failure(&mut self, error: &HookError) -> Option<Duration> {
        tracing::error!(%error, "the transaction around a hook failed, trying again");
        if self.state == OperationState::Queued {
            self.pending.clear();
        }
        let failure = Failure::new(
            "hook_failed",
            "This change could not be recorded with what belongs to it.",
        )
        .technical(error);
        let written = match self.phase {
            Phase::Do => serde_json::to_value(failure).ok(),
            Phase::Undo => self.failure_to_write(),
        };
        match self
            .write(self.state, Hold::Release(HOOK_PAUSE), written.as_ref())
            .await
        {
            Ok(()) => Some(HOOK_PAUSE),
            Err(_) => None,
        }
    }

    async fn reach(&self, step: &str, phase: Phase, moment: Moment) {
        if let Some(probe) = self.probe {
            probe
                .at(Point {
                    operation: self.row.id,
                    kind: &self.row.kind,
                    step,
                    phase,
                    moment,
                })
                .await;
        }
    }

    fn cause(&self) -> Failure {
        self.failure
            .clone()
            .unwrap_or_else(|| Failure::new("unknown", "The reason was not recorded."))
    }

    fn failure_to_write(&self) -> Option<Value> {
        self.failure
            .as_ref()
            .filter(|_| self.is_failure_pending)
            .and_then(|failure| serde_json::to_value(failure).ok())
    }

    /// Only the way forward has a deadline: going back ends when nothing is left.
    fn deadline_at(&self) -> Option<DateTime<Utc>> {
        self.row.deadline_at.filter(|_| self.phase == Phase::Do)
    }

    /// The database's clock.
    fn now(&self) -> DateTime<Utc> {
        let since = TimeDelta::from_std(self.claimed_at.elapsed()).unwrap_or(TimeDelta::zero());
        self.row.claimed_at + since
    }
}
