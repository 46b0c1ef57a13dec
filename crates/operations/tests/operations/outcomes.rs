//! What each way for a step to end means for the operation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use tenantry_operations::{
    Engine, NewOperation, Operation, OperationState, Phase, Registry, RetryError, Step, StepContext, StepError,
    StepPolicy, StepState, Steps, abandon, retry,
};
use uuid::Uuid;

use crate::support::{Fault, Faults, Ledger, Scratch, Sequence, World, registry, steady};

fn start(scratch: &Scratch) -> Engine {
    Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        steady(),
    )
}

#[tokio::test]
async fn steps_act_in_order_and_leave_a_log() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let id = scratch.queue(Faults::default()).await;
    let progress = scratch.reach(id, OperationState::Done).await;
    let ledger = Ledger(&scratch.pool);
    assert_eq!(ledger.acts(id).await, ["do a", "do b", "do c", "do d"]);
    assert_eq!(
        ledger.records(id).await,
        [
            "do a started",
            "do a done",
            "do b started",
            "do b done",
            "do c started",
            "do c done",
            "do d started",
            "do d done"
        ]
    );
    assert_eq!(ledger.hooks(id).await, ["start", "done"]);
    assert!(
        progress
            .steps
            .iter()
            .all(|step| step.state == StepState::Done && step.attempts == 1)
    );
    assert!(progress.started_at.is_some() && progress.ended_at >= progress.started_at);
    assert_eq!(progress.failure, None);
}

#[tokio::test]
async fn a_temporary_failure_is_tried_again() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let faults = [Fault::Retry { after: true }, Fault::Panic { after: false }];
    let id = scratch.queue(Faults::default().at("b", Phase::Do, &faults)).await;
    let progress = scratch.reach(id, OperationState::Done).await;
    assert_eq!(
        Ledger(&scratch.pool).acts(id).await,
        ["do a", "do b", "do b", "do b", "do c", "do d"]
    );
    assert_eq!(progress.steps[1].attempts, 3);
    assert_eq!(progress.steps[1].failure.as_ref().unwrap().code, "panicked");
    assert_eq!(
        progress.steps[1].failure.as_ref().unwrap().technical.as_deref(),
        Some("out of cheese")
    );
}

#[tokio::test]
async fn a_step_that_hangs_is_cut_off() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let id = scratch
        .queue(Faults::default().at("a", Phase::Do, &[Fault::Hang]))
        .await;
    let progress = scratch.reach(id, OperationState::Done).await;
    assert_eq!(progress.steps[0].failure.as_ref().unwrap().code, "step_timed_out");
}

#[tokio::test]
async fn running_out_of_tries_undoes_in_reverse_the_failed_step_first() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let faults = [Fault::Retry { after: true }; 3];
    let id = scratch.queue(Faults::default().at("c", Phase::Do, &faults)).await;
    let progress = scratch.reach(id, OperationState::Undone).await;
    let ledger = Ledger(&scratch.pool);
    assert_eq!(
        ledger.acts(id).await,
        ["do a", "do b", "do c", "do c", "do c", "undo c", "undo b", "undo a"]
    );
    assert_eq!(ledger.things(id).await, Vec::<String>::new());
    assert_eq!(ledger.hooks(id).await, ["start", "undone busy"]);
    assert_eq!(progress.failure.unwrap().code, "busy");
    assert!(progress.steps.iter().all(|step| step.state == StepState::Undone));
}

#[tokio::test]
async fn giving_up_after_half_the_work_undoes_that_half() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let id = scratch
        .queue(Faults::default().at("b", Phase::Do, &[Fault::GiveUp { after: true }]))
        .await;
    scratch.reach(id, OperationState::Undone).await;
    let ledger = Ledger(&scratch.pool);
    assert_eq!(ledger.acts(id).await, ["do a", "do b", "undo b", "undo a"]);
    assert_eq!(ledger.things(id).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_undo_is_tried_again_and_may_wait() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let undo = [
        Fault::Retry { after: false },
        Fault::NotYet,
        Fault::NotYet,
        Fault::Retry { after: true },
    ];
    let faults = Faults::default()
        .at("d", Phase::Do, &[Fault::GiveUp { after: false }])
        .at("b", Phase::Undo, &undo);
    let id = scratch.queue(faults).await;
    let progress = scratch.reach(id, OperationState::Undone).await;
    assert_eq!(Ledger(&scratch.pool).things(id).await, Vec::<String>::new());
    assert_eq!(progress.failure.unwrap().code, "broken");
    assert_eq!(progress.steps[1].undo_failure.as_ref().unwrap().code, "busy");
    // Asking again the same question leaves no second record.
    let waits = scratch
        .count("select count(*) from operation_steps where record = 'not_yet'")
        .await;
    assert_eq!(waits, 1);
}

#[tokio::test]
async fn an_undo_that_cannot_succeed_is_stuck_until_a_person_retries_it() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let faults = Faults::default()
        .at("d", Phase::Do, &[Fault::GiveUp { after: true }])
        .at("b", Phase::Undo, &[Fault::Retry { after: false }; 3])
        .at("a", Phase::Undo, &[Fault::GiveUp { after: false }]);
    let id = scratch.queue(faults).await;
    let progress = scratch.reach(id, OperationState::Stuck).await;
    let ledger = Ledger(&scratch.pool);
    assert_eq!(ledger.things(id).await, ["a", "b"]);
    assert_eq!(progress.failure.unwrap().code, "busy");
    assert_eq!(progress.steps[1].state, StepState::UndoFailed);

    retry(&mut *scratch.connection().await, id).await.unwrap();
    let progress = scratch.reach(id, OperationState::Stuck).await;
    assert_eq!(ledger.things(id).await, ["a"]);
    assert_eq!(
        (progress.failure.unwrap().code.as_ref(), progress.attempt),
        ("broken", 2)
    );

    retry(&mut *scratch.connection().await, id).await.unwrap();
    let progress = scratch.reach(id, OperationState::Undone).await;
    assert_eq!(ledger.things(id).await, Vec::<String>::new());
    assert_eq!(progress.failure.unwrap().code, "broken");
    assert_eq!(
        ledger.hooks(id).await,
        ["start", "stuck busy", "stuck broken", "undone broken"]
    );
    let again = retry(&mut *scratch.connection().await, id).await;
    assert!(matches!(again, Err(RetryError::NotStuck)));
}

#[tokio::test]
async fn a_stuck_operation_can_be_abandoned_and_frees_its_subject() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let faults = Faults::default()
        .at("b", Phase::Do, &[Fault::GiveUp { after: true }])
        .at("b", Phase::Undo, &[Fault::GiveUp { after: false }]);
    let subject = Uuid::now_v7();
    let new =
        |faults: &Faults| NewOperation::of::<Sequence>(Uuid::now_v7(), subject, faults, "test", "tester").unwrap();
    let stuck = scratch.queue_new(new(&faults)).await;
    scratch.reach(stuck, OperationState::Stuck).await;
    abandon(&mut *scratch.connection().await, stuck).await.unwrap();
    assert_eq!(scratch.state(stuck).await, OperationState::Undone);
    let next = scratch.queue_new(new(&Faults::default())).await;
    scratch.reach(next, OperationState::Done).await;
}

#[tokio::test]
async fn parameters_that_cannot_be_read_wait_for_a_person_and_then_go_on() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let mut new =
        NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &Faults::default(), "test", "tester").unwrap();
    let readable = std::mem::replace(&mut new.params, serde_json::json!("from the future"));
    let id = scratch.queue_new(new).await;
    let progress = scratch.reach(id, OperationState::Stuck).await;
    assert_eq!(progress.failure.unwrap().code, "params_unreadable");
    let mut connection = scratch.connection().await;
    sqlx::query("update operations set params = $1")
        .bind(readable)
        .execute(&mut *connection)
        .await
        .unwrap();
    retry(&mut connection, id).await.unwrap();
    scratch.reach(id, OperationState::Done).await;
    assert_eq!(Ledger(&scratch.pool).hooks(id).await, ["start", "done"]);
}

#[tokio::test]
async fn a_step_that_this_release_does_not_know_cannot_be_undone() {
    let scratch = Scratch::new().await;
    let id = scratch.queue(Faults::default()).await;
    sqlx::query(
        "with going_back as (update operations set state = 'undoing', started_at = now() returning *) \
         insert into operation_steps (operation_id, seq, organization_id, step, phase, record, epoch, attempt) \
         select id, 0, organization_id, 'renamed', 'do', 'started', 0, 1 from going_back",
    )
    .execute(&scratch.pool)
    .await
    .unwrap();
    let _engine = start(&scratch);
    let progress = scratch.reach(id, OperationState::Stuck).await;
    assert_eq!(progress.failure.unwrap().code, "unknown_step");
}

#[tokio::test]
async fn an_operation_that_misses_its_deadline_is_undone() {
    let scratch = Scratch::new().await;
    let _engine = start(&scratch);
    let faults = Faults::default().at("b", Phase::Do, &[Fault::NotYet; 100_000]);
    let new = NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &faults, "test", "tester").unwrap();
    let id = scratch
        .queue_new(new.deadline_at(Utc::now() + Duration::from_millis(400)))
        .await;
    let progress = scratch.reach(id, OperationState::Undone).await;
    assert_eq!(progress.failure.unwrap().code, "deadline_passed");
    assert_eq!(Ledger(&scratch.pool).things(id).await, Vec::<String>::new());
}

/// Two steps, of which the second goes on from what the first returned.
struct Chain;
struct Choose;
struct Double;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chosen {
    number: u32,
}

#[async_trait]
impl Operation for Chain {
    const KIND: &'static str = "chain";
    type Context = ();
    type Params = u32;

    fn steps() -> Steps<Self> {
        Steps::first(Choose).then(Double)
    }
}

#[async_trait]
impl Step<Chain> for Choose {
    const NAME: &'static str = "choose";
    type Output = Chosen;

    async fn act(&self, cx: &StepContext<Chain>) -> Result<Chosen, StepError> {
        Ok(Chosen { number: *cx.params() })
    }

    async fn undo(&self, cx: &StepContext<Chain>) -> Result<(), StepError> {
        assert!(cx.find_output::<Self>()?.is_some());
        Ok(())
    }
}

#[async_trait]
impl Step<Chain> for Double {
    const NAME: &'static str = "double";
    type Output = u32;

    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT.not_yet_deadline(Duration::from_millis(100))
    }

    async fn act(&self, cx: &StepContext<Chain>) -> Result<u32, StepError> {
        let Chosen { number } = cx.output::<Choose>()?;
        match number {
            0 => Err(StepError::not_yet("no_number", "a number", Duration::from_millis(10))),
            number => Ok(2 * number),
        }
    }

    async fn undo(&self, cx: &StepContext<Chain>) -> Result<(), StepError> {
        assert!(matches!(cx.output::<Self>(), Err(StepError::GiveUp(failure)) if failure.code == "output_missing"));
        Ok(())
    }
}

#[tokio::test]
async fn a_step_reads_what_an_earlier_one_returned() {
    let scratch = Scratch::new().await;
    let registry = Arc::new(Registry::new().with::<Chain>().unwrap());
    assert_eq!(registry.step_names("chain").unwrap(), ["choose", "double"]);
    let _engine = Engine::start(scratch.pool.clone(), Arc::new(()), registry, steady());
    let new = |number| NewOperation::of::<Chain>(Uuid::now_v7(), Uuid::now_v7(), &number, "test", "tester").unwrap();
    let (doubled, never) = (scratch.queue_new(new(21)).await, scratch.queue_new(new(0)).await);
    scratch.reach(doubled, OperationState::Done).await;
    let output: serde_json::Value = sqlx::query_scalar(
        "select output from operation_steps where operation_id = $1 and step = 'double' and record = 'done'",
    )
    .bind(doubled)
    .fetch_one(&scratch.pool)
    .await
    .unwrap();
    assert_eq!(output, 42);
    let progress = scratch.reach(never, OperationState::Undone).await;
    assert_eq!(progress.failure.unwrap().code, "not_ready_in_time");
}
