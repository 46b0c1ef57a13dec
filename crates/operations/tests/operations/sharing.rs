//! Several engines on one database, one of them slow, stalled or leaving.

use std::time::Duration;

use tenantry_operations::{Engine, EngineConfig, Enqueued, Moment, NewOperation, OperationState, Phase, enqueue};
use uuid::Uuid;

use crate::support::{Fault, Faults, Ledger, Scratch, Sequence, Stall, World, brisk, eventually, registry, steady};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_engines_share_two_hundred_operations_and_run_none_twice() {
    let scratch = Scratch::new().await;
    // Leases longer than any hiccup of the machine: what must hold is that claims never overlap.
    let config = EngineConfig {
        lease: Duration::from_secs(20),
        ..brisk()
    };
    let engines = [0, 1].map(|_| {
        let pool = scratch.pool_of(10);
        Engine::start(pool.clone(), World::new(pool), registry(), config.clone())
    });
    let mut tx = scratch.pool.begin().await.unwrap();
    for _ in 0..200 {
        let new =
            NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &Faults::default(), "test", "tester").unwrap();
        enqueue(&mut tx, new).await.unwrap();
    }
    tx.commit().await.unwrap();
    eventually("all done", async || {
        (scratch
            .count("select count(*) from operations where state = 'done'")
            .await
            == 200)
            .then_some(())
    })
    .await;
    assert_eq!(scratch.count("select count(*) from world_acts").await, 800);
    assert_eq!(
        scratch
            .count("select count(*) from (select distinct operation, step from world_acts) x")
            .await,
        800
    );
    assert_eq!(scratch.count("select count(*) from world_hooks").await, 400);
    assert_eq!(scratch.count("select max(epoch) from operations").await, 1);
    for engine in engines {
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_worker_paused_past_its_lease_does_no_harm() {
    for moment in Moment::ALL {
        let scratch = Scratch::new().await;
        let stall = Stall::at("b", moment);
        // As after a stopped process: nobody renews its leases, and nobody tells it.
        let paused = EngineConfig {
            heartbeat: Duration::from_secs(3600),
            probe: Some(stall.clone()),
            ..brisk()
        };
        let paused = Engine::start(scratch.pool_of(4), World::new(scratch.pool.clone()), registry(), paused);
        let id = scratch.queue(Faults::default()).await;
        stall.reached.notified().await;
        let healthy = Engine::start(
            scratch.pool_of(4),
            World::new(scratch.pool.clone()),
            registry(),
            brisk(),
        );
        scratch.reach(id, OperationState::Done).await;
        let ledger = Ledger(&scratch.pool);
        let (acts, records) = (ledger.acts(id).await, ledger.records(id).await);

        stall.release.notify_one();
        // Its orderly end waits until the woken run has come to its own.
        paused.shutdown().await;
        assert_eq!(ledger.records(id).await, records, "{moment:?}");
        assert_eq!(ledger.hooks(id).await, ["start", "done"], "{moment:?}");
        let late = &ledger.acts(id).await[acts.len()..];
        // The step calls `fence` before its act, so that not even that happens late.
        assert!(late.is_empty(), "{moment:?}: {late:?}");
        healthy.shutdown().await;
    }
}

#[tokio::test]
async fn a_worker_paused_past_its_lease_cannot_wake_what_has_ended() {
    let scratch = Scratch::new().await;
    // Stalled when it asks for the second time: what it then has to write is a move without any record.
    let stall = Stall::after(1, "b", Moment::Effect);
    let paused = EngineConfig {
        heartbeat: Duration::from_secs(3600),
        probe: Some(stall.clone()),
        ..brisk()
    };
    let world = World::new(scratch.pool.clone());
    let paused = Engine::start(scratch.pool_of(4), world.clone(), registry(), paused);
    let id = scratch
        .queue(Faults::default().at("b", Phase::Do, &[Fault::NotYet, Fault::NotYet]))
        .await;
    stall.reached.notified().await;
    let _healthy = Engine::start(scratch.pool_of(4), world, registry(), brisk());
    let ended = scratch.reach(id, OperationState::Done).await;
    stall.release.notify_one();
    paused.shutdown().await;
    let now = scratch.progress(id).await;
    assert_eq!((now.state, now.ended_at), (OperationState::Done, ended.ended_at));
    assert_eq!(scratch.count("select epoch from operations").await, 3);
}

#[tokio::test]
async fn a_lease_that_is_taken_away_stops_the_step() {
    let scratch = Scratch::new().await;
    let stall = Stall::at("b", Moment::Effect);
    let config = EngineConfig {
        probe: Some(stall.clone()),
        ..brisk()
    };
    let engine = Engine::start(scratch.pool_of(4), World::new(scratch.pool.clone()), registry(), config);
    let id = scratch.queue(Faults::default()).await;
    stall.reached.notified().await;
    sqlx::query("update operations set epoch = epoch + 1")
        .execute(&scratch.pool)
        .await
        .unwrap();
    // The stalled run is never released: only the heartbeat can end it.
    scratch.reach(id, OperationState::Done).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn one_operation_at_a_time_runs_for_each_subject() {
    let scratch = Scratch::new().await;
    let subject = Uuid::now_v7();
    let scope = Uuid::now_v7();
    let new = || NewOperation::of::<Sequence>(scope, subject, &Faults::default(), "test", "tester").unwrap();
    let first = scratch.queue_new(new()).await;
    let mut racing = Vec::new();
    for _ in 0..10 {
        let (pool, new) = (scratch.pool.clone(), new());
        racing.push(tokio::spawn(async move {
            enqueue(&mut pool.acquire().await.unwrap(), new).await.unwrap()
        }));
    }
    for racer in racing {
        assert_eq!(racer.await.unwrap(), Enqueued::AlreadyRunning(first));
    }
    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        brisk(),
    );
    scratch.reach(first, OperationState::Done).await;
    let second = scratch.queue_new(new()).await;
    scratch.reach(second, OperationState::Done).await;
}

#[tokio::test]
async fn an_operation_queued_in_a_transaction_that_fails_never_was() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.pool.begin().await.unwrap();
    let new =
        NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &Faults::default(), "test", "tester").unwrap();
    enqueue(&mut tx, new).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(scratch.count("select count(*) from operations").await, 0);
}

#[tokio::test]
async fn an_orderly_end_finishes_the_step_and_hands_the_rest_over_at_once() {
    let scratch = Scratch::new().await;
    let stall = Stall::at("b", Moment::Effect);
    let config = EngineConfig {
        probe: Some(stall.clone()),
        lease: Duration::from_secs(60),
        ..brisk()
    };
    let engine = Engine::start(scratch.pool_of(4), World::new(scratch.pool.clone()), registry(), config);
    let id = scratch.queue(Faults::default()).await;
    stall.reached.notified().await;
    let leaving = tokio::spawn(engine.shutdown());
    tokio::task::yield_now().await;
    stall.release.notify_one();
    leaving.await.unwrap();
    let ledger = Ledger(&scratch.pool);
    assert_eq!(
        ledger.records(id).await,
        ["do a started", "do a done", "do b started", "do b done"]
    );
    // The lease would last half a minute; it was given back.
    let _next = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        brisk(),
    );
    scratch.reach(id, OperationState::Done).await;
    assert_eq!(ledger.acts(id).await, ["do a", "do b", "do c", "do d"]);
}

#[tokio::test]
async fn a_step_that_outlasts_the_grace_is_cut_short_and_taken_over_at_once() {
    let scratch = Scratch::new().await;
    let stall = Stall::at("b", Moment::Effect);
    let config = EngineConfig {
        probe: Some(stall.clone()),
        shutdown_grace: Duration::from_millis(50),
        ..steady()
    };
    let engine = Engine::start(scratch.pool_of(4), World::new(scratch.pool.clone()), registry(), config);
    let id = scratch.queue(Faults::default()).await;
    stall.reached.notified().await;
    engine.shutdown().await;
    let _next = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        brisk(),
    );
    scratch.reach(id, OperationState::Done).await;
    assert_eq!(
        Ledger(&scratch.pool).acts(id).await,
        ["do a", "do b", "do b", "do c", "do d"]
    );
}
