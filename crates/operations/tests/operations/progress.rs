//! What a person sees while it goes on.

use sqlx::postgres::PgListener;
use tenantry_operations::{Engine, OperationState, Phase, StepState, usual_durations};

use crate::support::{Fault, Faults, NAMES, Scratch, World, registry, steady};

#[tokio::test]
async fn progress_is_told_and_can_be_read() {
    let scratch = Scratch::new().await;
    let mut listener = PgListener::connect_with(&scratch.pool).await.unwrap();
    listener.listen("operation_progress").await.unwrap();
    let id = scratch.queue(Faults::default()).await;
    let queued = scratch.progress(id).await.with_plan(&NAMES);
    assert_eq!(queued.state, OperationState::Queued);
    assert!(queued.steps.iter().all(|step| step.state == StepState::Pending));
    assert_eq!(queued.steps.len(), 4);

    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        steady(),
    );
    scratch.reach(id, OperationState::Done).await;
    for _ in 0..4 {
        assert_eq!(listener.recv().await.unwrap().payload(), id.to_string());
    }
}

#[tokio::test]
async fn the_usual_duration_is_the_median_of_those_that_were_done() {
    let scratch = Scratch::new().await;
    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        steady(),
    );
    let mut connection = scratch.connection().await;
    assert_eq!(usual_durations(&mut connection, "sequence").await.unwrap(), []);
    for _ in 0..3 {
        let id = scratch.queue(Faults::default()).await;
        scratch.reach(id, OperationState::Done).await;
    }
    let failed = scratch
        .queue(Faults::default().at("b", Phase::Do, &[Fault::GiveUp { after: false }]))
        .await;
    scratch.reach(failed, OperationState::Undone).await;
    sqlx::query(
        "with one as (select id, row_number() over (order by created_at) as n from operations where state = 'done') \
         update operation_steps s set at = s.at + one.n * interval '1 second' from one \
         where s.operation_id = one.id and s.step = 'c' and s.record = 'done'",
    )
    .execute(&scratch.pool)
    .await
    .unwrap();
    let usual = usual_durations(&mut connection, "sequence").await.unwrap();
    let names: Vec<_> = usual.iter().map(|usual| usual.step.as_str()).collect();
    assert_eq!(names, NAMES);
    assert_eq!(usual[2].median.as_secs(), 2);
    assert_eq!(usual[0].median.as_secs(), 0);
}
