//! Waiting costs neither a worker nor a connection, and ends when somebody knows that it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tenantry_operations::{
    Engine, EngineConfig, Failure, Moment, NewOperation, Operation, OperationState, Registry, Step, StepContext,
    StepError, StepState, Steps, enqueue, wake,
};
use uuid::Uuid;

use crate::support::{Scratch, Stall, eventually, steady};

/// Done once the door is open; asks again after an hour, or after ten milliseconds when impatient. A jammed one fails.
struct Wait;
struct Door;

#[async_trait]
impl Operation for Wait {
    const KIND: &'static str = "wait";
    type Context = AtomicBool;
    type Params = Patience;

    fn steps() -> Steps<Self> {
        Steps::first(Door)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
enum Patience {
    Hour,
    Moment,
    None,
    Jammed,
}

#[async_trait]
impl Step<Wait> for Door {
    const NAME: &'static str = "door";
    type Output = ();

    async fn act(&self, cx: &StepContext<Wait>) -> Result<(), StepError> {
        let after = match cx.params() {
            Patience::None => return Ok(()),
            _ if cx.context().load(Ordering::SeqCst) => return Ok(()),
            Patience::Hour => Duration::from_secs(3600),
            Patience::Moment => Duration::from_millis(10),
            Patience::Jammed => {
                return Err(Failure::new("jammed", "The door is jammed.").into_retry_after(Duration::from_secs(3600)));
            }
        };
        Err(Failure::new("door_is_closed", "the door")
            .technical("bolted")
            .into_not_yet(after))
    }

    async fn undo(&self, _: &StepContext<Wait>) -> Result<(), StepError> {
        Ok(())
    }
}

fn new(patience: Patience) -> NewOperation {
    NewOperation::of::<Wait>(Uuid::now_v7(), Uuid::now_v7(), &patience, "test", "tester").unwrap()
}

#[tokio::test]
async fn five_hundred_waiting_operations_hold_neither_worker_nor_connection() {
    let scratch = Scratch::new().await;
    let door = Arc::new(AtomicBool::new(false));
    let pool = scratch.pool_of(1);
    let registry = Arc::new(Registry::new().with::<Wait>().unwrap());
    let config = EngineConfig {
        concurrency: 1,
        ..steady()
    };
    let engine = Engine::start(pool.clone(), door.clone(), registry, config);
    let mut tx = scratch.pool.begin().await.unwrap();
    for _ in 0..500 {
        enqueue(&mut tx, new(Patience::Hour)).await.unwrap();
    }
    tx.commit().await.unwrap();
    eventually("all asleep", async || {
        let asleep = "select count(*) from operations where state = 'waiting' and lease_until is null";
        (scratch.count(asleep).await == 500).then_some(())
    })
    .await;

    // One worker and one connection are enough for what can go on.
    let quick = scratch.queue_new(new(Patience::None)).await;
    let asked = std::time::Instant::now();
    scratch.reach(quick, OperationState::Done).await;
    assert!(asked.elapsed() < Duration::from_secs(5));
    eventually("an idle connection", async || (pool.num_idle() == 1).then_some(())).await;

    let impatient = scratch.queue_new(new(Patience::Moment)).await;
    let progress = scratch.reach(impatient, OperationState::Waiting).await;
    assert_eq!(progress.steps[0].state, StepState::Waiting);
    let expected = Failure::new("door_is_closed", "the door").technical("bolted");
    assert_eq!(progress.steps[0].waiting_for, Some(expected));
    door.store(true, Ordering::SeqCst);
    scratch.reach(impatient, OperationState::Done).await;

    // Whoever knows that the wait is over may wake them.
    sqlx::query("update operations set wake_at = now() where state = 'waiting'")
        .execute(&scratch.pool)
        .await
        .unwrap();
    eventually("all done", async || {
        (scratch
            .count("select count(*) from operations where state = 'done'")
            .await
            == 502)
            .then_some(())
    })
    .await;
    engine.shutdown().await;
}

/// An engine that stops after the first look of the step, before it has written down what the step said.
struct Looking {
    scratch: Scratch,
    door: Arc<AtomicBool>,
    stall: Arc<Stall>,
    _engine: Engine,
}

impl Looking {
    async fn start() -> Self {
        let scratch = Scratch::new().await;
        let door = Arc::new(AtomicBool::new(false));
        let stall = Stall::at("door", Moment::Effect);
        let config = EngineConfig {
            probe: Some(stall.clone()),
            ..steady()
        };
        let registry = Arc::new(Registry::new().with::<Wait>().unwrap());
        let engine = Engine::start(scratch.pool.clone(), door.clone(), registry, config);
        Self {
            scratch,
            door,
            stall,
            _engine: engine,
        }
    }

    async fn wake(&self, subject: Uuid) {
        wake(&mut *self.scratch.connection().await, &[subject]).await.unwrap();
    }

    /// Sleeps for long after that many looks.
    async fn asleep(&self, looks: i64) {
        eventually("a long sleep", async || {
            let asleep = "select coalesce(max(epoch), 0) from operations \
                          where state = 'waiting' and lease_until is null and wake_at > now() + interval '50 minutes'";
            (self.scratch.count(asleep).await == looks).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_wake_that_comes_while_the_step_looks_is_not_lost() {
    let looking = Looking::start().await;
    let new = new(Patience::Hour);
    let subject = new.subject;
    let id = looking.scratch.queue_new(new).await;
    looking.stall.reached.notified().await;
    looking.door.store(true, Ordering::SeqCst);
    looking.wake(subject).await;
    looking.stall.release.notify_one();
    looking.scratch.reach(id, OperationState::Done).await;
}

#[tokio::test]
async fn a_remembered_wake_is_worth_one_more_look() {
    let looking = Looking::start().await;
    let new = new(Patience::Hour);
    let subject = new.subject;
    let id = looking.scratch.queue_new(new).await;
    looking.stall.reached.notified().await;
    for _ in 0..3 {
        looking.wake(subject).await;
    }
    looking.stall.release.notify_one();
    looking.asleep(2).await;
    looking.wake(subject).await;
    looking.asleep(3).await;
    looking.door.store(true, Ordering::SeqCst);
    looking.wake(subject).await;
    looking.scratch.reach(id, OperationState::Done).await;
}

#[tokio::test]
async fn a_wake_while_a_step_fails_does_not_shorten_its_backoff() {
    let looking = Looking::start().await;
    let new = new(Patience::Jammed);
    let subject = new.subject;
    looking.scratch.queue_new(new).await;
    looking.stall.reached.notified().await;
    // The step's own failure may be what happened.
    looking.wake(subject).await;
    looking.stall.release.notify_one();
    looking.asleep(1).await;
}
