//! What to do next, and what an outcome means. Pure: the log, the policy, the time and the dice come in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::error::{Failure, StepError};
use crate::log::{Phase, StepHistory, StepLog};
use crate::policy::{StepPolicy, backoff};
use crate::registry::StepPlan;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Step(usize),
    /// Nothing is left to do in this direction.
    Settle,
    /// The log names a step that this program does not have.
    Unknown(String),
}

/// Forward: the first step that is not done. Backward: the latest one that may have acted and is not undone.
pub(super) fn next(steps: &[StepPlan], log: &StepLog, phase: Phase) -> Next {
    match phase {
        Phase::Do => steps
            .iter()
            .position(|step| !log.history(step.name, Phase::Do).is_done())
            .map_or(Next::Settle, Next::Step),
        Phase::Undo => {
            let left = log
                .steps()
                .iter()
                .rev()
                .find(|step| step.doing.starts > 0 && !step.undoing.is_done());
            match left {
                None => Next::Settle,
                Some(left) => steps
                    .iter()
                    .position(|step| step.name == left.name)
                    .map_or_else(|| Next::Unknown(left.name.clone()), Next::Step),
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Done(Value),
    Again { failure: Failure, pause: Duration },
    NotYet { obstacle: Failure, pause: Duration },
    GiveUp(Failure),
    Superseded,
}

/// Reasons not to begin a step at all.
pub(super) fn refusal(
    history: &StepHistory,
    policy: &StepPolicy,
    now: DateTime<Utc>,
    deadline_at: Option<DateTime<Utc>>,
) -> Option<Failure> {
    if deadline_at.is_some_and(|deadline| now >= deadline) {
        return Some(deadline_passed());
    }
    let interruptions = history.interruptions + u32::from(history.is_open);
    (interruptions > policy.max_interruptions).then(|| {
        Failure::new("interrupted_too_often", "This step was cut short again and again.")
            .technical(format_args!("{interruptions} starts without an end"))
    })
}

/// `history` as it was when the try began, its start included.
pub(super) fn judge(
    result: Result<Value, StepError>,
    history: &StepHistory,
    policy: &StepPolicy,
    now: DateTime<Utc>,
    deadline_at: Option<DateTime<Utc>>,
    random: f64,
) -> Verdict {
    match result {
        Ok(output) => Verdict::Done(output),
        Err(StepError::Superseded) => Verdict::Superseded,
        Err(StepError::GiveUp(failure)) => Verdict::GiveUp(failure),
        Err(StepError::Retry { failure, after }) => {
            let failures = history.failures + 1;
            let pause = after.unwrap_or_else(|| backoff(policy.backoff_base, policy.backoff_cap, failures, random));
            let too_late = policy
                .deadline
                .zip(history.first_started_at)
                .is_some_and(|(deadline, started)| is_past(started, deadline, now, pause));
            if failures >= policy.max_attempts || too_late || is_over(deadline_at, now, pause) {
                Verdict::GiveUp(failure)
            } else {
                Verdict::Again { failure, pause }
            }
        }
        Err(StepError::NotYet { obstacle, after }) => {
            let since = history.not_yet_since.unwrap_or(now);
            if is_past(since, policy.not_yet_deadline, now, Duration::ZERO) {
                Verdict::GiveUp(waited_too_long(&obstacle, since))
            } else if is_over(deadline_at, now, Duration::ZERO) {
                Verdict::GiveUp(deadline_passed())
            } else {
                Verdict::NotYet { obstacle, pause: after }
            }
        }
    }
}

fn waited_too_long(obstacle: &Failure, since: DateTime<Utc>) -> Failure {
    let said = obstacle.technical.as_deref().unwrap_or_default();
    Failure::new("not_ready_in_time", format!("Waited too long for {}.", obstacle.detail))
        .technical(format_args!("waited since {since}; last for {}: {said}", obstacle.code))
}

fn is_past(since: DateTime<Utc>, allowed: Duration, now: DateTime<Utc>, pause: Duration) -> bool {
    let spent = now - since + TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    TimeDelta::from_std(allowed).is_ok_and(|allowed| spent >= allowed)
}

fn is_over(deadline_at: Option<DateTime<Utc>>, now: DateTime<Utc>, pause: Duration) -> bool {
    deadline_at.is_some_and(|deadline| is_past(now, (deadline - now).to_std().unwrap_or_default(), now, pause))
}

fn deadline_passed() -> Failure {
    Failure::new("deadline_passed", "It did not finish in the time it had.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::RecordKind::{Done, Started};
    use crate::log::fixtures::record;

    const POLICY: StepPolicy = StepPolicy::DEFAULT.max_attempts(3);

    fn plans(names: &[&'static str]) -> Vec<StepPlan> {
        names
            .iter()
            .map(|name| StepPlan {
                name,
                policy: POLICY,
                undo_policy: POLICY,
            })
            .collect()
    }

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(secs)
    }

    #[test]
    fn forward_takes_the_first_step_that_is_not_done() {
        let steps = plans(&["a", "b"]);
        let mut log = StepLog::default();
        assert_eq!(next(&steps, &log, Phase::Do), Next::Step(0));
        log.add(&record(0, "a", Phase::Do, Started));
        assert_eq!(next(&steps, &log, Phase::Do), Next::Step(0));
        log.add(&record(1, "a", Phase::Do, Done));
        assert_eq!(next(&steps, &log, Phase::Do), Next::Step(1));
        log.add(&record(2, "b", Phase::Do, Done));
        assert_eq!(next(&steps, &log, Phase::Do), Next::Settle);
    }

    #[test]
    fn backward_begins_with_the_step_that_may_have_run() {
        let steps = plans(&["a", "b", "c"]);
        let mut log = StepLog::fold(&[
            record(0, "a", Phase::Do, Started),
            record(1, "a", Phase::Do, Done),
            record(2, "b", Phase::Do, Started),
        ]);
        assert_eq!(next(&steps, &log, Phase::Undo), Next::Step(1));
        log.add(&record(3, "b", Phase::Undo, Done));
        assert_eq!(next(&steps, &log, Phase::Undo), Next::Step(0));
        log.add(&record(4, "a", Phase::Undo, Done));
        assert_eq!(next(&steps, &log, Phase::Undo), Next::Settle);
    }

    #[test]
    fn a_step_that_no_longer_exists_cannot_be_undone() {
        let log = StepLog::fold(&[record(0, "gone", Phase::Do, Started)]);
        assert_eq!(next(&plans(&["a"]), &log, Phase::Undo), Next::Unknown("gone".into()));
    }

    #[test]
    fn the_last_try_gives_up() {
        let mut history = StepHistory {
            failures: 1,
            ..StepHistory::default()
        };
        let fail = || Err(StepError::retry("busy", "busy"));
        assert!(matches!(
            judge(fail(), &history, &POLICY, at(0), None, 0.5),
            Verdict::Again { .. }
        ));
        history.failures = 2;
        assert!(matches!(
            judge(fail(), &history, &POLICY, at(0), None, 0.5),
            Verdict::GiveUp(_)
        ));
    }

    #[test]
    fn a_pause_that_ends_after_the_deadline_is_not_begun() {
        let policy = POLICY.deadline(Duration::from_secs(10));
        let history = StepHistory {
            first_started_at: Some(at(0)),
            ..StepHistory::default()
        };
        let fail = |secs| Err(Failure::new("busy", "busy").into_retry_after(Duration::from_secs(secs)));
        assert!(matches!(
            judge(fail(4), &history, &policy, at(5), None, 0.0),
            Verdict::Again { .. }
        ));
        assert!(matches!(
            judge(fail(5), &history, &policy, at(5), None, 0.0),
            Verdict::GiveUp(_)
        ));
        assert!(matches!(
            judge(fail(5), &history, &POLICY, at(5), Some(at(9)), 0.0),
            Verdict::GiveUp(_)
        ));
        assert!(matches!(
            judge(fail(5), &history, &POLICY, at(5), Some(at(20)), 0.0),
            Verdict::Again { .. }
        ));
    }

    #[test]
    fn not_yet_is_no_failure_until_its_own_deadline() {
        let policy = POLICY.not_yet_deadline(Duration::from_secs(60));
        let obstacle = Failure::new("no_room", "room for the site").technical("node-7 is full");
        let wait = || Err(obstacle.clone().into_not_yet(Duration::from_secs(2)));
        let mut history = StepHistory {
            failures: 2,
            ..StepHistory::default()
        };
        assert!(matches!(
            judge(wait(), &history, &policy, at(500), None, 0.0),
            Verdict::NotYet { .. }
        ));
        history.not_yet_since = Some(at(400));
        let Verdict::GiveUp(failure) = judge(wait(), &history, &policy, at(500), None, 0.0) else {
            panic!()
        };
        assert_eq!(failure.code, "not_ready_in_time");
        assert_eq!(failure.detail, "Waited too long for room for the site.");
        assert!(failure.technical.unwrap().contains("last for no_room: node-7 is full"));
    }

    #[test]
    fn a_step_that_kills_its_workers_is_refused() {
        let policy = POLICY.max_interruptions(2);
        let mut history = StepHistory {
            interruptions: 1,
            is_open: true,
            ..StepHistory::default()
        };
        assert_eq!(refusal(&history, &policy, at(0), None), None);
        history.interruptions = 2;
        assert_eq!(
            refusal(&history, &policy, at(0), None).unwrap().code,
            "interrupted_too_often"
        );
        assert_eq!(
            refusal(&StepHistory::default(), &policy, at(1), Some(at(1)))
                .unwrap()
                .code,
            "deadline_passed"
        );
    }
}
