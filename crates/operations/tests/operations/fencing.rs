//! What a step writes in a transaction of its own happens under its operation's epoch and lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use tenantry_operations::{
    Engine, EngineConfig, NewOperation, Operation, OperationState, Registry, Step, StepContext, StepError, Steps,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Scratch, brisk, eventually};

/// Where the first worker is held up; others pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    BeforeTheFence,
    AfterTheFence,
}

struct Desk {
    pool: PgPool,
    hold: Hold,
    is_held: AtomicBool,
    reached: Notify,
    release: Notify,
}

impl Desk {
    async fn pass(&self, here: Hold) {
        if here == self.hold && !self.is_held.swap(true, Ordering::SeqCst) {
            self.reached.notify_one();
            self.release.notified().await;
        }
    }
}

struct Write;
struct Entry;

#[async_trait]
impl Operation for Write {
    const KIND: &'static str = "write";
    type Context = Desk;
    type Params = ();

    fn steps() -> Steps<Self> {
        Steps::first(Entry)
    }
}

#[async_trait]
impl Step<Write> for Entry {
    const NAME: &'static str = "entry";
    type Output = ();

    async fn act(&self, cx: &StepContext<Write>) -> Result<(), StepError> {
        let desk = cx.context();
        let mut tx = desk.pool.begin().await?;
        desk.pass(Hold::BeforeTheFence).await;
        cx.fence_in(&mut tx).await?;
        desk.pass(Hold::AfterTheFence).await;
        sqlx::query("insert into world_acts (operation, step, phase, epoch) values ($1, 'entry', 'do', $2)")
            .bind(cx.id())
            .bind(cx.epoch())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn undo(&self, _: &StepContext<Write>) -> Result<(), StepError> {
        Ok(())
    }
}

/// A worker that is held up until its lease has run out, as one that was paused is: nobody renews its leases.
async fn held_up(scratch: &Scratch, hold: Hold) -> (Arc<Desk>, Engine, Uuid) {
    let desk = Arc::new(Desk {
        pool: scratch.pool.clone(),
        hold,
        is_held: AtomicBool::new(false),
        reached: Notify::new(),
        release: Notify::new(),
    });
    let config = EngineConfig {
        heartbeat: Duration::from_secs(3600),
        ..brisk()
    };
    let engine = engine(scratch, &desk, config);
    let new = NewOperation::of::<Write>(Uuid::now_v7(), Uuid::now_v7(), &(), "test", "tester").unwrap();
    let operation = scratch.queue_new(new).await;
    desk.reached.notified().await;
    eventually("the lease to run out", async || {
        let held = "select count(*) from operations where lease_until > clock_timestamp()";
        (scratch.count(held).await == 0).then_some(())
    })
    .await;
    (desk, engine, operation)
}

fn engine(scratch: &Scratch, desk: &Arc<Desk>, config: EngineConfig) -> Engine {
    let registry = Arc::new(Registry::new().with::<Write>().unwrap());
    Engine::start(scratch.pool_of(4), desk.clone(), registry, config)
}

async fn epochs(scratch: &Scratch) -> Vec<i64> {
    sqlx::query_scalar("select epoch from world_acts order by n")
        .fetch_all(&scratch.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_comes_late_is_not_written() {
    let scratch = Scratch::new().await;
    let (desk, paused, operation) = held_up(&scratch, Hold::BeforeTheFence).await;
    let healthy = engine(&scratch, &desk, brisk());
    scratch.reach(operation, OperationState::Done).await;
    desk.release.notify_one();
    paused.shutdown().await;
    assert_eq!(epochs(&scratch).await, [2]);
    healthy.shutdown().await;
}

#[tokio::test]
async fn nobody_takes_over_in_the_middle_of_a_write() {
    let scratch = Scratch::new().await;
    let (desk, paused, operation) = held_up(&scratch, Hold::AfterTheFence).await;
    // What a claim asks for.
    let free = "select count(*) from (select from operations for no key update skip locked) free";
    assert_eq!(scratch.count(free).await, 0);
    // It claims nothing more before it goes on.
    let leaving = tokio::spawn(paused.shutdown());
    tokio::task::yield_now().await;
    desk.release.notify_one();
    leaving.await.unwrap();
    assert_eq!((scratch.count(free).await, epochs(&scratch).await), (1, vec![1]));
    let healthy = engine(&scratch, &desk, brisk());
    scratch.reach(operation, OperationState::Done).await;
    assert_eq!(epochs(&scratch).await, [1, 2]);
    healthy.shutdown().await;
}
