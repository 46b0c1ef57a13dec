//! An operation of four steps whose every failure is prescribed, in a world of two tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tenantry_operations::{
    EngineConfig, HookResult, Operation, OperationContext, Outcome, Phase, Registry, Step, StepContext, StepError,
    StepPolicy, Steps,
};
use uuid::Uuid;

pub(crate) const NAMES: [&str; 4] = ["a", "b", "c", "d"];
pub(crate) const MAX_ATTEMPTS: u32 = 3;

/// What goes wrong at one call of a step. `after` the effect, or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    Retry { after: bool },
    GiveUp { after: bool },
    NotYet,
    Panic { after: bool },
    Hang,
}

/// The faults of each step and phase, one for each call; later calls succeed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Faults {
    faults: HashMap<String, Vec<Fault>>,
}

impl Faults {
    pub(crate) fn at(mut self, step: &str, phase: Phase, faults: &[Fault]) -> Self {
        self.faults.insert(key(step, phase), faults.to_vec());
        self
    }

    pub(crate) fn of(&self, step: &str, phase: Phase) -> &[Fault] {
        self.faults.get(&key(step, phase)).map_or(&[], Vec::as_slice)
    }
}

fn key(step: &str, phase: Phase) -> String {
    format!("{step} {}", phase.as_str())
}

/// What the steps act on.
pub(crate) struct World {
    pool: PgPool,
    calls: Mutex<HashMap<(Uuid, String), usize>>,
}

impl World {
    pub(crate) fn new(pool: PgPool) -> Arc<Self> {
        Arc::new(Self {
            pool,
            calls: Mutex::default(),
        })
    }

    async fn call<const N: usize>(&self, cx: &StepContext<Sequence>) -> Result<(), StepError> {
        cx.fence().await?;
        let (step, phase) = (NAMES[N], cx.phase());
        let call = {
            let mut calls = self.calls.lock().unwrap();
            let call = calls.entry((cx.id(), key(step, phase))).or_default();
            *call += 1;
            *call - 1
        };
        let fault = cx.params().of(step, phase).get(call).copied();
        sqlx::query("insert into world_acts (operation, step, phase, epoch) values ($1, $2, $3, $4)")
            .bind(cx.id())
            .bind(step)
            .bind(phase.as_str())
            .bind(cx.epoch())
            .execute(&self.pool)
            .await?;
        match fault {
            None
            | Some(Fault::Retry { after: true } | Fault::GiveUp { after: true } | Fault::Panic { after: true }) => {
                self.effect(cx.id(), step, phase).await?;
            }
            Some(_) => {}
        }
        match fault {
            None => Ok(()),
            Some(Fault::Retry { .. }) => Err(StepError::retry("busy", "Try again.")),
            Some(Fault::GiveUp { .. }) => Err(StepError::give_up("broken", "It cannot be.")),
            Some(Fault::NotYet) => Err(StepError::not_yet("starting", "pods", Duration::from_millis(1))),
            Some(Fault::Panic { .. }) => std::panic::resume_unwind(Box::new("out of cheese")),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }

    async fn effect(&self, operation: Uuid, step: &str, phase: Phase) -> Result<(), sqlx::Error> {
        match phase {
            Phase::Do => sqlx::query("insert into world_things values ($1, $2) on conflict do nothing"),
            Phase::Undo => sqlx::query("delete from world_things where operation = $1 and step = $2"),
        }
        .bind(operation)
        .bind(step)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

/// Four steps, each making one thing.
pub(crate) struct Sequence;

#[async_trait]
impl Operation for Sequence {
    const KIND: &'static str = "sequence";
    type Context = World;
    type Params = Faults;

    fn steps() -> Steps<Self> {
        Steps::first(Make::<0>).then(Make::<1>).then(Make::<2>).then(Make::<3>)
    }

    async fn on_start(tx: &mut PgConnection, operation: &OperationContext<Self>) -> HookResult {
        note(tx, operation.id(), "start").await
    }

    async fn on_settled(tx: &mut PgConnection, operation: &OperationContext<Self>, outcome: &Outcome) -> HookResult {
        match outcome {
            Outcome::Done => note(tx, operation.id(), "done").await,
            Outcome::Undone { failure } => note(tx, operation.id(), &format!("undone {}", failure.code)).await,
            Outcome::Stuck { failure } => note(tx, operation.id(), &format!("stuck {}", failure.code)).await,
        }
    }
}

pub(crate) async fn note(tx: &mut PgConnection, operation: Uuid, hook: &str) -> HookResult {
    sqlx::query("insert into world_hooks (operation, hook) values ($1, $2)")
        .bind(operation)
        .bind(hook)
        .execute(tx)
        .await?;
    Ok(())
}

pub(crate) struct Make<const N: usize>;

#[async_trait]
impl<const N: usize> Step<Sequence> for Make<N> {
    const NAME: &'static str = NAMES[N];
    type Output = ();

    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT
            .max_attempts(MAX_ATTEMPTS)
            .backoff(Duration::from_millis(1), Duration::from_millis(2))
            .attempt_timeout(Duration::from_secs(3))
    }

    fn undo_policy(&self) -> StepPolicy {
        self.policy()
    }

    async fn act(&self, cx: &StepContext<Sequence>) -> Result<(), StepError> {
        cx.context().call::<N>(cx).await
    }

    async fn undo(&self, cx: &StepContext<Sequence>) -> Result<(), StepError> {
        cx.context().call::<N>(cx).await
    }
}

pub(crate) fn registry() -> Arc<Registry<World>> {
    Arc::new(Registry::new().with::<Sequence>().unwrap())
}

/// Leases that outlast any hiccup of a busy machine, for tests in which nobody dies: no takeover may blur their counts.
pub(crate) fn steady() -> EngineConfig {
    EngineConfig {
        lease: Duration::from_secs(30),
        ..brisk()
    }
}

/// Short leases, so that a takeover does not keep a test waiting.
pub(crate) fn brisk() -> EngineConfig {
    EngineConfig {
        lease: Duration::from_millis(1500),
        heartbeat: Duration::from_millis(200),
        poll: Duration::from_millis(50),
        shutdown_grace: Duration::from_secs(10),
        ..EngineConfig::default()
    }
}

/// What the world and the hooks look like afterwards.
pub(crate) struct Ledger<'a>(pub(crate) &'a PgPool);

impl Ledger<'_> {
    pub(crate) async fn things(&self, operation: Uuid) -> Vec<String> {
        sqlx::query_scalar("select step from world_things where operation = $1 order by step")
            .bind(operation)
            .fetch_all(self.0)
            .await
            .unwrap()
    }

    /// Calls of steps in their order, as `do a`, `undo a`.
    pub(crate) async fn acts(&self, operation: Uuid) -> Vec<String> {
        sqlx::query_scalar("select phase || ' ' || step from world_acts where operation = $1 order by n")
            .bind(operation)
            .fetch_all(self.0)
            .await
            .unwrap()
    }

    pub(crate) async fn hooks(&self, operation: Uuid) -> Vec<String> {
        sqlx::query_scalar("select hook from world_hooks where operation = $1 order by n")
            .bind(operation)
            .fetch_all(self.0)
            .await
            .unwrap()
    }

    /// The log, as `do a started`.
    pub(crate) async fn records(&self, operation: Uuid) -> Vec<String> {
        sqlx::query_scalar(
            "select phase || ' ' || step || ' ' || record from operation_steps where operation_id = $1 order by seq",
        )
        .bind(operation)
        .fetch_all(self.0)
        .await
        .unwrap()
    }
}
