//! Which points are killed at, in which lives.

use std::fmt;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// The moments of a step that a kill can fall into.
const MOMENTS: [&str; 3] = ["started", "effect", "done"];

/// The names of steps, in their order.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) provision: Vec<String>,
    pub(super) deprovision: Vec<String>,
}

/// Where in a tenant's life a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Making,
    Undoing,
    Removing,
}

impl Phase {
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Making | Self::Undoing => "provision",
            Self::Removing => "deprovision",
        }
    }

    pub(super) const fn direction(self) -> &'static str {
        match self {
            Self::Making | Self::Removing => "do",
            Self::Undoing => "undo",
        }
    }
}

/// Phase, step, moment.
pub(super) type Point = (Phase, String, String);

/// One tenant's life: the accidents while it is made, while that is taken back, while it is removed.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) making: Vec<Point>,
    pub(super) undoing: Vec<Point>,
    pub(super) removing: Vec<Point>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.making.iter().chain(&self.undoing).chain(&self.removing);
        write!(f, "killed at")?;
        all.into_iter().try_for_each(|(phase, step, moment)| {
            write!(f, " {}/{step}/{}/{moment}", phase.operation(), phase.direction())
        })
    }
}

/// Three moments of every step of making, of taking that back, and of removing.
pub(super) fn every_step(steps: &Steps) -> Vec<Case> {
    let all = |phase: Phase, step: &String| -> Vec<Point> {
        MOMENTS
            .iter()
            .map(|moment| (phase, step.clone(), (*moment).to_owned()))
            .collect()
    };
    let mut removals = steps.deprovision.iter();
    let mut cases = Vec::new();
    for step in &steps.provision {
        cases.push(Case {
            making: all(Phase::Making, step),
            removing: removals
                .next()
                .map(|step| all(Phase::Removing, step))
                .unwrap_or_default(),
            ..Case::default()
        });
        cases.push(Case {
            making: vec![before_the_end(steps)],
            undoing: all(Phase::Undoing, step),
            ..Case::default()
        });
    }
    cases.extend(removals.map(|step| Case {
        removing: all(Phase::Removing, step),
        ..Case::default()
    }));
    cases
}

/// Lives with one to three accidents a phase, until `count` kills are planned.
pub(super) fn random(steps: &Steps, count: usize, seed: Option<usize>) -> Vec<Case> {
    let seed = seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    eprintln!("TENANTRY_TEST_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed as u64);
    let mut cases = Vec::new();
    let mut planned = 0;
    while planned < count {
        let mut case = Case {
            removing: in_order(&mut dice, Phase::Removing, &steps.deprovision),
            ..Case::default()
        };
        if dice.random_bool(0.5) {
            case.making = vec![before_the_end(steps)];
            let backwards: Vec<String> = steps.provision.iter().rev().cloned().collect();
            case.undoing = in_order(&mut dice, Phase::Undoing, &backwards);
        } else {
            case.making = in_order(&mut dice, Phase::Making, &steps.provision);
        }
        planned += case.making.len() + case.undoing.len() + case.removing.len();
        cases.push(case);
    }
    cases
}

/// Random points that an operation passes one after the other.
fn in_order(dice: &mut StdRng, phase: Phase, steps: &[String]) -> Vec<Point> {
    let mut places: Vec<usize> = (0..dice.random_range(1..=3))
        .map(|_| dice.random_range(0..steps.len()))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .map(|place| {
            let moment = MOMENTS.choose(dice).expect("three moments");
            (phase, steps[place].clone(), (*moment).to_owned())
        })
        .collect()
}

/// All is made, and the last step has not acted.
fn before_the_end(steps: &Steps) -> Point {
    let last = steps.provision.last().expect("steps").clone();
    (Phase::Making, last, MOMENTS[0].to_owned())
}
