//! The caller's own tables move in the engine's transactions, or nothing moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use sqlx::PgConnection;
use tenantry_operations::{
    Engine, HookResult, NewOperation, Operation, OperationContext, OperationState, Outcome, Registry, Step,
    StepContext, StepError, Steps,
};
use uuid::Uuid;

use crate::support::{Ledger, Scratch, eventually, note, steady};

/// Hooks that fail once each, after they have written.
struct Fragile;
struct Once;

#[derive(Default)]
struct Calls {
    on_start: AtomicU32,
    acts: AtomicU32,
    on_settled: AtomicU32,
}

#[async_trait]
impl Operation for Fragile {
    const KIND: &'static str = "fragile";
    type Context = Calls;
    type Params = ();

    fn steps() -> Steps<Self> {
        Steps::first(Once)
    }

    async fn on_start(tx: &mut PgConnection, operation: &OperationContext<Self>) -> HookResult {
        note(tx, operation.id(), "start").await?;
        match operation.context().on_start.fetch_add(1, Ordering::SeqCst) {
            0 => Err("the ledger says no".into()),
            _ => Ok(()),
        }
    }

    async fn on_settled(tx: &mut PgConnection, operation: &OperationContext<Self>, outcome: &Outcome) -> HookResult {
        assert_eq!(*outcome, Outcome::Done);
        note(tx, operation.id(), "done").await?;
        if operation.context().on_settled.fetch_add(1, Ordering::SeqCst) == 0 {
            // As a deferred constraint would: the transaction cannot be committed any more.
            sqlx::query("insert into world_things values (null, null)")
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Step<Fragile> for Once {
    const NAME: &'static str = "once";
    type Output = ();

    async fn act(&self, cx: &StepContext<Fragile>) -> Result<(), StepError> {
        cx.context().acts.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn undo(&self, _: &StepContext<Fragile>) -> Result<(), StepError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_hook_that_fails_rolls_back_and_is_tried_again() {
    let scratch = Scratch::new().await;
    let calls = Arc::new(Calls::default());
    let registry = Arc::new(Registry::new().with::<Fragile>().unwrap());
    let _engine = Engine::start(scratch.pool.clone(), calls.clone(), registry, steady());
    let new = NewOperation::of::<Fragile>(Uuid::now_v7(), Uuid::now_v7(), &(), "test", "tester").unwrap();
    let id = scratch.queue_new(new).await;
    let wake = async |state: &'static str| {
        // The engine leaves it alone for five seconds; nobody has to wait for that here.
        eventually("the pause", async || {
            let woken = sqlx::query(
                "update operations set wake_at = now() where id = $1 and state = $2 and lease_until is null \
                 and error ->> 'code' = 'hook_failed'",
            )
            .bind(id)
            .bind(state)
            .execute(&scratch.pool)
            .await
            .unwrap();
            (woken.rows_affected() == 1).then_some(())
        })
        .await;
    };
    wake("queued").await;
    wake("running").await;
    let progress = scratch.reach(id, OperationState::Done).await;
    assert_eq!(progress.failure, None);
    assert_eq!(Ledger(&scratch.pool).hooks(id).await, ["start", "done"]);
    assert_eq!(calls.on_start.load(Ordering::SeqCst), 2);
    assert_eq!(calls.on_settled.load(Ordering::SeqCst), 2);
    // What the step did was kept although the hook after it failed.
    assert_eq!(calls.acts.load(Ordering::SeqCst), 1);
}
