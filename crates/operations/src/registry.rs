use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use sqlx::PgConnection;

use crate::context::{OperationContext, OperationRow, Outputs, StepContext, StepTry};
use crate::error::{Failure, StepError};
use crate::log::Phase;
use crate::operation::{HookResult, Operation, Outcome, Step};
use crate::policy::StepPolicy;

/// The operations that this program can run, with their names and steps.
pub struct Registry<C> {
    kinds: HashMap<&'static str, Arc<dyn AnyOperation<C>>>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error("two operations are named {0}")]
    DuplicateKind(&'static str),
    #[error("operation {kind} has two steps named {step}")]
    DuplicateStep { kind: &'static str, step: &'static str },
}

impl<C: Send + Sync + 'static> Registry<C> {
    pub fn new() -> Self {
        Self { kinds: HashMap::new() }
    }

    pub fn with<O: Operation<Context = C>>(mut self) -> Result<Self, RegistryError> {
        let operation = Registered::<O>::new()?;
        if self.kinds.insert(O::KIND, Arc::new(operation)).is_some() {
            return Err(RegistryError::DuplicateKind(O::KIND));
        }
        Ok(self)
    }

    /// The names of an operation's steps in their order, for views that show what is still to come.
    pub fn step_names(&self, kind: &str) -> Option<Vec<&'static str>> {
        let operation = self.kinds.get(kind)?;
        Some(operation.steps().iter().map(|step| step.name).collect())
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.kinds.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Arc<dyn AnyOperation<C>>> {
        self.kinds.get(kind)
    }
}

impl<C: Send + Sync + 'static> Default for Registry<C> {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct StepPlan {
    pub(crate) name: &'static str,
    pub(crate) policy: StepPolicy,
    pub(crate) undo_policy: StepPolicy,
}

impl StepPlan {
    pub(crate) fn policy(&self, phase: Phase) -> &StepPolicy {
        match phase {
            Phase::Do => &self.policy,
            Phase::Undo => &self.undo_policy,
        }
    }
}

/// [`Operation`] without its types, so that one engine runs all kinds.
pub(crate) trait AnyOperation<C>: Send + Sync {
    fn steps(&self) -> &[StepPlan];
    fn load(
        &self,
        context: Arc<C>,
        row: Arc<OperationRow>,
        outputs: Outputs,
    ) -> Result<Box<dyn LoadedOperation>, Failure>;
}

/// One operation with its parameters read.
#[async_trait]
pub(crate) trait LoadedOperation: Send + Sync {
    async fn run(&self, step: usize, attempt: StepTry) -> Result<Value, StepError>;
    async fn on_start(&self, tx: &mut PgConnection) -> HookResult;
    async fn on_settled(&self, tx: &mut PgConnection, outcome: &Outcome) -> HookResult;
    fn keep_output(&mut self, step: &'static str, output: Value);
}

/// [`Step`] without its output type.
#[async_trait]
pub(crate) trait AnyStep<O: Operation>: Send + Sync {
    fn plan(&self) -> StepPlan;
    async fn act(&self, cx: &StepContext<O>) -> Result<Value, StepError>;
    async fn undo(&self, cx: &StepContext<O>) -> Result<(), StepError>;
}

#[async_trait]
impl<O: Operation, S: Step<O>> AnyStep<O> for S {
    fn plan(&self) -> StepPlan {
        StepPlan {
            name: S::NAME,
            policy: self.policy(),
            undo_policy: self.undo_policy(),
        }
    }

    async fn act(&self, cx: &StepContext<O>) -> Result<Value, StepError> {
        let output = Step::act(self, cx).await?;
        serde_json::to_value(output).map_err(|error| {
            StepError::GiveUp(
                Failure::new("output_unwritable", "The result of this step could not be kept.").technical(error),
            )
        })
    }

    async fn undo(&self, cx: &StepContext<O>) -> Result<(), StepError> {
        Step::undo(self, cx).await
    }
}

struct Registered<O: Operation> {
    steps: Arc<[Box<dyn AnyStep<O>>]>,
    plans: Vec<StepPlan>,
}

impl<O: Operation> Registered<O> {
    fn new() -> Result<Self, RegistryError> {
        let steps = O::steps().0;
        let plans: Vec<StepPlan> = steps.iter().map(|step| step.plan()).collect();
        for (index, plan) in plans.iter().enumerate() {
            if plans[..index].iter().any(|earlier| earlier.name == plan.name) {
                return Err(RegistryError::DuplicateStep {
                    kind: O::KIND,
                    step: plan.name,
                });
            }
        }
        Ok(Self {
            steps: steps.into(),
            plans,
        })
    }
}

impl<O: Operation> AnyOperation<O::Context> for Registered<O> {
    fn steps(&self) -> &[StepPlan] {
        &self.plans
    }

    fn load(
        &self,
        context: Arc<O::Context>,
        row: Arc<OperationRow>,
        outputs: Outputs,
    ) -> Result<Box<dyn LoadedOperation>, Failure> {
        let params = serde_json::from_value(row.params.clone()).map_err(|error| {
            Failure::new(
                "params_unreadable",
                "This operation was queued by a release that this one cannot read.",
            )
            .technical(error)
        })?;
        let context = OperationContext {
            context,
            row,
            params: Arc::new(params),
            outputs: Arc::new(outputs),
        };
        Ok(Box::new(Loaded {
            steps: self.steps.clone(),
            context,
        }))
    }
}

struct Loaded<O: Operation> {
    steps: Arc<[Box<dyn AnyStep<O>>]>,
    context: OperationContext<O>,
}

#[async_trait]
impl<O: Operation> LoadedOperation for Loaded<O> {
    async fn run(&self, step: usize, attempt: StepTry) -> Result<Value, StepError> {
        let phase = attempt.phase;
        let cx = StepContext {
            operation: self.context.clone(),
            attempt,
        };
        match phase {
            Phase::Do => self.steps[step].act(&cx).await,
            Phase::Undo => self.steps[step].undo(&cx).await.map(|()| Value::Null),
        }
    }

    async fn on_start(&self, tx: &mut PgConnection) -> HookResult {
        O::on_start(tx, &self.context).await
    }

    async fn on_settled(&self, tx: &mut PgConnection, outcome: &Outcome) -> HookResult {
        O::on_settled(tx, &self.context, outcome).await
    }

    fn keep_output(&mut self, step: &'static str, output: Value) {
        Arc::make_mut(&mut self.context.outputs).insert(step.to_owned(), output);
    }
}
