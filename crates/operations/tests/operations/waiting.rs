//! Waiting costs neither a worker nor a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tenantry_operations::{
    Engine, EngineConfig, Failure, NewOperation, Operation, OperationState, Registry, Step, StepContext, StepError,
    StepState, Steps, enqueue,
};
use uuid::Uuid;

use crate::support::{Scratch, eventually, steady};

/// Done once the door is open; asks again after an hour, or after ten milliseconds when impatient.
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
        };
        Err(Failure::new("door_is_closed", "the door")
            .technical("bolted")
            .into_not_yet(after))
    }

    async fn undo(&self, _: &StepContext<Wait>) -> Result<(), StepError> {
        Ok(())
    }
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
    let new = |patience| NewOperation::of::<Wait>(Uuid::now_v7(), Uuid::now_v7(), &patience, "test", "tester").unwrap();
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
