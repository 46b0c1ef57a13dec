//! A worker that vanishes at any point of any step.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenantry_operations::{Engine, EngineConfig, Moment, OperationState, Phase, Point, Probe};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Fault, Faults, Ledger, Scratch, World, brisk, registry};

/// Kills the worker of an operation when it first reaches the point: its task unwinds without another statement, and
/// its lease is left to expire.
#[derive(Default)]
struct KillOnce(Mutex<HashMap<Uuid, (String, Phase, Moment)>>);

impl KillOnce {
    fn plan(&self, operation: Uuid, step: &str, phase: Phase, moment: Moment) {
        self.0
            .lock()
            .unwrap()
            .insert(operation, (step.to_owned(), phase, moment));
    }
}

#[async_trait]
impl Probe for KillOnce {
    async fn at(&self, point: Point<'_>) {
        let mut plans = self.0.lock().unwrap();
        let here = (point.step.to_owned(), point.phase, point.moment);
        if plans.get(&point.operation) == Some(&here) {
            plans.remove(&point.operation);
            drop(plans);
            resume_unwind(Box::new("killed"));
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_point_of_any_step_is_survived() {
    let scratch = Scratch::new().await;
    let probe = Arc::new(KillOnce::default());
    let faults = Faults::default().at(
        "d",
        Phase::Do,
        &[Fault::GiveUp { after: true }, Fault::GiveUp { after: false }],
    );
    let mut schedules = Vec::new();
    for step in ["a", "b", "c", "d"] {
        for moment in Moment::ALL {
            for (faults, phase) in [
                (Faults::default(), Phase::Do),
                (faults.clone(), Phase::Do),
                (faults.clone(), Phase::Undo),
            ] {
                let new = tenantry_operations::NewOperation::of::<crate::support::Sequence>(
                    Uuid::now_v7(),
                    Uuid::now_v7(),
                    &faults,
                    "test",
                    "tester",
                )
                .unwrap();
                probe.plan(new.id, step, phase, moment);
                let ends_done = faults.of("d", Phase::Do).is_empty();
                schedules.push((scratch.queue_new(new).await, step, phase, moment, ends_done));
            }
        }
    }
    let config = EngineConfig {
        probe: Some(probe),
        ..brisk()
    };
    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        config,
    );
    let ledger = Ledger(&scratch.pool);
    for (id, step, phase, moment, ends_done) in schedules {
        let at = format!("killed at {moment:?} of {} {step}", phase.as_str());
        let (state, things, last) = if ends_done {
            (OperationState::Done, vec!["a", "b", "c", "d"], "done")
        } else {
            (OperationState::Undone, vec![], "undone broken")
        };
        scratch.reach(id, state).await;
        assert_eq!(ledger.things(id).await, things, "{at}");
        assert_eq!(ledger.hooks(id).await, ["start", last], "{at}");
        // Only a step whose effect was not recorded runs a second time.
        let acts = ledger.acts(id).await;
        let repeated = acts
            .iter()
            .filter(|act| **act == format!("{} {step}", phase.as_str()))
            .count();
        assert_eq!(repeated, if moment == Moment::Effect { 2 } else { 1 }, "{at}: {acts:?}");
        let epochs = scratch.epoch(id).await;
        let last_record = moment == Moment::Done
            && ((ends_done && step == "d") || (!ends_done && phase == Phase::Undo && step == "a"));
        assert_eq!(epochs, if last_record { 1 } else { 2 }, "{at}");
    }
}

/// Stops at the first point and tells.
struct Block {
    reached: Notify,
}

#[async_trait]
impl Probe for Block {
    async fn at(&self, point: Point<'_>) {
        if point.step == "c" && point.moment == Moment::Effect {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn an_engine_that_is_dropped_in_the_middle_is_replaced_by_the_next() {
    let scratch = Scratch::new().await;
    let world = World::new(scratch.pool.clone());
    let probe = Arc::new(Block { reached: Notify::new() });
    let id = scratch.queue(Faults::default()).await;
    let config = EngineConfig {
        probe: Some(probe.clone()),
        ..brisk()
    };
    let engine = Engine::start(scratch.pool_of(4), world.clone(), registry(), config);
    probe.reached.notified().await;
    drop(engine);
    let died = std::time::Instant::now();
    let _next = Engine::start(scratch.pool.clone(), world, registry(), brisk());
    scratch.reach(id, OperationState::Done).await;
    assert!(
        died.elapsed() >= brisk().lease / 2,
        "nobody may take over before the lease is over"
    );
    assert_eq!(
        Ledger(&scratch.pool).acts(id).await,
        ["do a", "do b", "do c", "do c", "do d"]
    );
}

#[tokio::test]
async fn a_step_that_keeps_killing_its_worker_is_given_up() {
    struct KillAlways;
    #[async_trait]
    impl Probe for KillAlways {
        async fn at(&self, point: Point<'_>) {
            if point.step == "b" && point.phase == Phase::Do && point.moment == Moment::Effect {
                resume_unwind(Box::new("killed"));
            }
        }
    }
    let scratch = Scratch::new().await;
    let id = scratch.queue(Faults::default()).await;
    let config = EngineConfig {
        probe: Some(Arc::new(KillAlways)),
        lease: std::time::Duration::from_millis(100),
        heartbeat: std::time::Duration::from_millis(30),
        ..brisk()
    };
    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        config,
    );
    let progress = scratch.reach(id, OperationState::Undone).await;
    assert_eq!(progress.failure.unwrap().code, "interrupted_too_often");
    assert_eq!(Ledger(&scratch.pool).things(id).await, Vec::<String>::new());
}
