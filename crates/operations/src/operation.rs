use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use crate::context::{OperationContext, StepContext};
use crate::error::{Failure, StepError};
use crate::policy::StepPolicy;
use crate::registry::AnyStep;

/// A kind of work: what it needs to know, its steps in order, and what the caller's own tables learn of it.
#[async_trait]
pub trait Operation: Sized + Send + Sync + 'static {
    /// Stable: rows in the database carry it.
    const KIND: &'static str;
    /// What all steps share: adapters, configuration.
    type Context: Send + Sync + 'static;
    /// What is known when it is queued. Read leniently: an older release may have written it.
    type Params: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// In the order in which they act. Logs in the database name them: a step that is renamed or removed while
    /// operations run makes their undo stuck.
    fn steps() -> Steps<Self>;

    /// Runs once, in the transaction that takes the operation out of the queue.
    async fn on_start(_tx: &mut PgConnection, _operation: &OperationContext<Self>) -> HookResult {
        Ok(())
    }

    /// Runs in the transaction that ends the operation or declares it stuck. A stuck one that is retried settles again.
    async fn on_settled(_tx: &mut PgConnection, _operation: &OperationContext<Self>, _outcome: &Outcome) -> HookResult {
        Ok(())
    }
}

/// A hook that fails rolls its transaction back; the engine tries again a few seconds later.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;
pub type HookResult = Result<(), HookError>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It gave up because of `failure`, and everything is undone.
    Undone {
        failure: Failure,
    },
    /// The undo itself failed, because of `failure`.
    Stuck {
        failure: Failure,
    },
}

/// One named act with its undo. See the [crate] for what both must bear.
#[async_trait]
pub trait Step<O: Operation>: Send + Sync + 'static {
    /// Stable and unique within the operation.
    const NAME: &'static str;
    /// What later steps, and the undo, may need: [`OperationContext::output`].
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;

    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT
    }

    /// Undoing is worth more patience than doing: what is left over costs money.
    fn undo_policy(&self) -> StepPolicy {
        StepPolicy {
            max_attempts: self.policy().max_attempts.max(8),
            ..self.policy()
        }
    }

    async fn act(&self, cx: &StepContext<O>) -> Result<Self::Output, StepError>;

    /// Takes back what [`act`](Self::act) may have done.
    async fn undo(&self, cx: &StepContext<O>) -> Result<(), StepError>;
}

/// The steps of an operation, in order.
pub struct Steps<O: Operation>(pub(crate) Vec<Box<dyn AnyStep<O>>>);

impl<O: Operation> Steps<O> {
    pub fn first(step: impl Step<O>) -> Self {
        Self(Vec::new()).then(step)
    }

    #[must_use]
    pub fn then(mut self, step: impl Step<O>) -> Self {
        self.0.push(Box::new(step));
        self
    }
}
