//! A worker process that is killed with SIGKILL, and another one that finds what it left.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use tenantry_operations::{Engine, EngineConfig, Moment, OperationState, Phase, Point, Probe};

use crate::support::{Fault, Faults, Ledger, Scratch, World, brisk, eventually, registry};

const SOCKET: &str = "OPERATIONS_CHILD_SOCKET";
const DATABASE: &str = "OPERATIONS_CHILD_DATABASE";
const POINT: &str = "OPERATIONS_CHILD_POINT";

/// Says that it is there and stops, so that the parent can kill the process at this very point.
struct Announce(String);

#[async_trait]
impl Probe for Announce {
    async fn at(&self, point: Point<'_>) {
        if name(point.phase, point.step, point.moment) == self.0 {
            println!("\nreached");
            std::future::pending::<()>().await;
        }
    }
}

fn name(phase: Phase, step: &str, moment: Moment) -> String {
    format!("{} {step} {}", phase.as_str(), moment.as_str())
}

/// The worker process. As a test of its own it does nothing.
#[tokio::test]
async fn child() {
    let Ok(socket) = std::env::var(SOCKET) else { return };
    let scratch = Scratch::open(Path::new(&socket), std::env::var(DATABASE).unwrap());
    let probe = Announce(std::env::var(POINT).unwrap());
    let config = EngineConfig {
        probe: Some(Arc::new(probe)),
        ..EngineConfig::default()
    };
    let _engine = Engine::start(scratch.pool.clone(), World::new(scratch.pool), registry(), config);
    std::future::pending::<()>().await;
}

fn spawn_child(scratch: &Scratch, point: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::child", "--nocapture"])
        .env(SOCKET, &scratch.socket)
        .env(DATABASE, &scratch.name)
        .env(POINT, point)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_at_any_point_is_replaced_within_five_seconds() {
    let points = [(Phase::Do, "b"), (Phase::Undo, "c"), (Phase::Undo, "a")];
    let cases = points
        .iter()
        .flat_map(|point| Moment::ALL.map(|moment| (point.0, point.1, moment)));
    futures::future::join_all(cases.map(|(phase, step, moment)| kill_and_replace(phase, step, moment))).await;
}

async fn kill_and_replace(phase: Phase, step: &'static str, moment: Moment) {
    let point = name(phase, step, moment);
    let scratch = Scratch::new().await;
    // The next process counts calls from nothing, so both begin with the same faults.
    let faults = match phase {
        Phase::Do => Faults::default(),
        Phase::Undo => Faults::default().at("d", Phase::Do, &[Fault::GiveUp { after: true }]),
    };
    let id = scratch.queue(faults).await;
    let mut child = spawn_child(&scratch, &point);
    let reached = BufReader::new(child.stdout.take().unwrap());
    let (child, is_reached) = tokio::task::spawn_blocking(move || {
        let is_reached = reached.lines().map_while(Result::ok).any(|line| line == "reached");
        child.kill().unwrap();
        child.wait().unwrap();
        (child, is_reached)
    })
    .await
    .unwrap();
    drop(child);
    assert!(is_reached, "{point}");
    let killed = Instant::now();
    let epoch = scratch.epoch(id).await;
    let _engine = Engine::start(
        scratch.pool.clone(),
        World::new(scratch.pool.clone()),
        registry(),
        brisk(),
    );
    eventually("a takeover", async || {
        // Killed after its very last record, it leaves nothing to take over.
        (scratch.epoch(id).await > epoch || scratch.state(id).await.is_ended()).then_some(())
    })
    .await;
    let recovery = killed.elapsed();
    println!("{point}: taken over {recovery:?} after the kill");
    // The lease of the killed process lasts four seconds; the fifth is ours.
    assert!(recovery.as_secs_f64() <= 5.0, "{point}: {recovery:?}");
    let (state, things) = match phase {
        Phase::Do => (OperationState::Done, vec!["a", "b", "c", "d"]),
        Phase::Undo => (OperationState::Undone, vec![]),
    };
    scratch.reach(id, state).await;
    let ledger = Ledger(&scratch.pool);
    assert_eq!(ledger.things(id).await, things, "{point}");
    assert_eq!(ledger.hooks(id).await.len(), 2, "{point}");
}
