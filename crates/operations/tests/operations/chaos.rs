//! Random schedules of faults and crashes, each compared with a model of what must come of it.
//!
//! `OPERATIONS_CHAOS_SCHEDULES` says how many (300 by default; `make chaos` runs 10,000 and more), and
//! `OPERATIONS_CHAOS_SEED` repeats a run.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tenantry_operations::{
    Engine, EngineConfig, Moment, NewOperation, OperationState, Phase, Point, Probe, enqueue, retry,
};
use uuid::Uuid;

use crate::support::{Fault, Faults, Ledger, MAX_ATTEMPTS, NAMES, Scratch, Sequence, World, brisk, registry};

/// The n-th time that an operation passes a moment of a step.
type Pass = (&'static str, Phase, Moment, usize);

#[derive(Debug, Clone)]
struct Schedule {
    faults: Faults,
    crashes: Vec<Pass>,
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let fault = prop_oneof![
        4 => proptest::bool::ANY.prop_map(|after| Fault::Retry { after }),
        1 => proptest::bool::ANY.prop_map(|after| Fault::GiveUp { after }),
        2 => Just(Fault::NotYet),
        1 => proptest::bool::ANY.prop_map(|after| Fault::Panic { after }),
    ];
    let step = 0..NAMES.len();
    let phase = prop_oneof![3 => Just(Phase::Do), 2 => Just(Phase::Undo)];
    let moment = prop_oneof![Just(Moment::Started), Just(Moment::Effect), Just(Moment::Done)];
    let faults = vec((step.clone(), phase.clone(), vec(fault, 1..5)), 0..4);
    let crashes = vec((step, phase, moment, 0_usize..2), 0..5);
    (faults, crashes).prop_map(|(faults, crashes)| Schedule {
        faults: faults.iter().fold(Faults::default(), |all, (step, phase, faults)| {
            all.at(NAMES[*step], *phase, faults)
        }),
        crashes: crashes
            .into_iter()
            .map(|(step, phase, moment, nth)| (NAMES[step], phase, moment, nth))
            .collect(),
    })
}

/// What must come of a schedule, told step by step and without a database.
#[derive(Debug, Default)]
struct Model {
    passes: Passes,
    calls: HashMap<(&'static str, Phase), usize>,
    acts: Vec<String>,
    things: Vec<&'static str>,
    retries: i32,
    /// How often a worker takes the operation up.
    claims: i64,
}

impl Model {
    fn of(schedule: &Schedule) -> (Self, OperationState) {
        let mut model = Self {
            claims: 1,
            ..Self::default()
        };
        for (index, step) in NAMES.iter().enumerate() {
            if !model.tries(schedule, step, Phase::Do) {
                // Each step that may have run, the last one first; where one cannot be undone, a person retries.
                for step in NAMES[..=index].iter().rev() {
                    while !model.tries(schedule, step, Phase::Undo) {
                        model.retries += 1;
                        model.claims += 1;
                    }
                }
                return (model, OperationState::Undone);
            }
        }
        (model, OperationState::Done)
    }

    /// One step until it is done or given up.
    fn tries(&mut self, schedule: &Schedule, step: &'static str, phase: Phase) -> bool {
        let mut failures = 0;
        loop {
            if self.crashes(schedule, step, phase, Moment::Started) {
                continue;
            }
            let fault = self.call(schedule, step, phase);
            if self.crashes(schedule, step, phase, Moment::Effect) {
                continue;
            }
            let ended = match fault {
                None => Some(true),
                Some(Fault::GiveUp { .. }) => Some(false),
                Some(Fault::NotYet) => None,
                Some(_) => {
                    failures += 1;
                    (failures == MAX_ATTEMPTS).then_some(false)
                }
            };
            let is_stuck = ended == Some(false) && phase == Phase::Undo;
            let is_end = is_stuck || (ended == Some(true) && self.is_last(step, phase));
            // A pause, a stuck operation and the end have let go of the lease: a crash costs no takeover then.
            if ended.is_none() {
                self.claims += 1;
            }
            let claims = self.claims;
            if self.crashes(schedule, step, phase, Moment::Done) && (is_end || ended.is_none()) {
                self.claims = claims;
            }
            if let Some(is_done) = ended {
                return is_done;
            }
        }
    }

    fn is_last(&self, step: &str, phase: Phase) -> bool {
        match phase {
            Phase::Do => step == NAMES[NAMES.len() - 1],
            Phase::Undo => step == NAMES[0],
        }
    }

    fn call(&mut self, schedule: &Schedule, step: &'static str, phase: Phase) -> Option<Fault> {
        self.acts.push(format!("{} {step}", phase.as_str()));
        let call = self.calls.entry((step, phase)).or_default();
        let fault = schedule.faults.of(step, phase).get(*call).copied();
        *call += 1;
        let has_effect = matches!(
            fault,
            None | Some(Fault::Retry { after: true } | Fault::GiveUp { after: true } | Fault::Panic { after: true })
        );
        if has_effect {
            self.things.retain(|thing| *thing != step);
            if phase == Phase::Do {
                self.things.push(step);
            }
        }
        fault
    }

    fn crashes(&mut self, schedule: &Schedule, step: &'static str, phase: Phase, moment: Moment) -> bool {
        let pass = self.passes.entry((step, phase, moment)).or_default();
        let crashes = schedule.crashes.contains(&(step, phase, moment, *pass));
        *pass += 1;
        self.claims += i64::from(crashes);
        crashes
    }
}

/// How often an operation has passed each moment of each step.
type Passes = HashMap<(&'static str, Phase, Moment), usize>;

/// Kills workers as the schedules say: the task unwinds without another statement.
#[derive(Default)]
struct Reaper(Mutex<HashMap<Uuid, (Vec<Pass>, Passes)>>);

#[async_trait]
impl Probe for Reaper {
    async fn at(&self, point: Point<'_>) {
        let is_doomed = {
            let mut plans = self.0.lock().unwrap();
            let (crashes, passes) = plans.get_mut(&point.operation).unwrap();
            let step = NAMES.into_iter().find(|name| *name == point.step).unwrap();
            let pass = passes.entry((step, point.phase, point.moment)).or_default();
            *pass += 1;
            crashes.contains(&(step, point.phase, point.moment, *pass - 1))
        };
        if is_doomed {
            resume_unwind(Box::new("killed"));
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_schedules_of_faults_and_crashes_end_as_the_model_says() {
    let count = number("OPERATIONS_CHAOS_SCHEDULES").unwrap_or(300) as usize;
    let seed = number("OPERATIONS_CHAOS_SEED").unwrap_or_else(rand::random);
    let began = Instant::now();
    println!("{count} schedules, seed {seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = schedules();

    let scratch = Scratch::new().await;
    let reaper = Arc::new(Reaper::default());
    let world = World::new(scratch.pool_of(30));
    let config = EngineConfig {
        concurrency: 24,
        lease: Duration::from_millis(1500),
        heartbeat: Duration::from_millis(300),
        probe: Some(reaper.clone()),
        ..brisk()
    };
    let _engines = [0, 1].map(|_| Engine::start(scratch.pool_of(16), world.clone(), registry(), config.clone()));

    let mut tally = Tally::default();
    let mut left = count;
    while left > 0 {
        let batch = left.min(500);
        left -= batch;
        let batch = (0..batch).map(|_| strategy.new_tree(&mut runner).unwrap().current());
        run_batch(&scratch, &reaper, batch.collect(), &mut tally).await;
    }
    println!("{tally:?} in {:?}", began.elapsed());
    assert_eq!(tally.done + tally.undone, count);
    // A machine that stalls for longer than a lease makes for takeovers that no schedule asked for.
    assert!(
        tally.unplanned * 50 <= count + 100,
        "seed {seed}: {} unplanned takeovers",
        tally.unplanned
    );
}

#[derive(Debug, Default)]
struct Tally {
    done: usize,
    undone: usize,
    crashes: usize,
    unstuck: i32,
    unplanned: usize,
}

async fn run_batch(scratch: &Scratch, reaper: &Reaper, batch: Vec<Schedule>, tally: &mut Tally) {
    let mut queued = Vec::new();
    let mut tx = scratch.pool.begin().await.unwrap();
    for schedule in batch {
        let new = NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &schedule.faults, "chaos", "tester");
        let new = new.unwrap();
        reaper
            .0
            .lock()
            .unwrap()
            .insert(new.id, (schedule.crashes.clone(), HashMap::new()));
        queued.push((new.id, schedule));
        enqueue(&mut tx, new).await.unwrap();
    }
    tx.commit().await.unwrap();
    settle_all(scratch).await;
    for (id, schedule) in queued {
        check(scratch, id, &schedule, tally).await;
        reaper.0.lock().unwrap().remove(&id);
    }
}

/// Until every operation has ended; whatever gets stuck is retried, as a person would.
async fn settle_all(scratch: &Scratch) {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let open: Vec<(Uuid, OperationState)> =
            sqlx::query_as("select id, state from operations where state not in ('done', 'undone')")
                .fetch_all(&scratch.pool)
                .await
                .unwrap();
        if open.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "never ended: {open:?}");
        for (id, _) in open.iter().filter(|(_, state)| *state == OperationState::Stuck) {
            retry(&mut *scratch.connection().await, *id).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn check(scratch: &Scratch, id: Uuid, schedule: &Schedule, tally: &mut Tally) {
    let (model, expected) = Model::of(schedule);
    let ledger = Ledger(&scratch.pool);
    let (state, epoch, attempt): (OperationState, i64, i32) =
        sqlx::query_as("select state, epoch, attempt from operations where id = $1")
            .bind(id)
            .fetch_one(&scratch.pool)
            .await
            .unwrap();
    let told = format!("{schedule:?}\nlog: {:?}", ledger.records(id).await);
    let things = ledger.things(id).await;
    // Whatever happened, nothing is left over and nothing is missing, and the caller was told once.
    match state {
        OperationState::Done => assert_eq!(things, NAMES, "{told}"),
        _ => assert_eq!(things, Vec::<String>::new(), "{told}"),
    }
    let hooks = ledger.hooks(id).await;
    let settled = hooks.iter().filter(|hook| !hook.starts_with("stuck")).count();
    assert_eq!((hooks[0].as_str(), settled), ("start", 2), "{hooks:?} {told}");

    if epoch > model.claims {
        tally.unplanned += 1;
    } else {
        // No step ran once more than its schedule explains.
        assert_eq!(ledger.acts(id).await, model.acts, "{told}");
        assert_eq!(
            (state, epoch, attempt),
            (expected, model.claims, model.retries + 1),
            "{told}"
        );
    }
    match state {
        OperationState::Done => tally.done += 1,
        _ => tally.undone += 1,
    }
    tally.crashes += schedule
        .crashes
        .iter()
        .filter(|(step, phase, moment, nth)| model.passes.get(&(*step, *phase, *moment)).is_some_and(|n| n > nth))
        .count();
    tally.unstuck += model.retries;
}
