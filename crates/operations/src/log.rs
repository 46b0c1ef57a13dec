//! The step log and what it means: a pure fold.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Phase {
    Do,
    Undo,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Do => "do",
            Self::Undo => "undo",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum RecordKind {
    Started,
    Done,
    Failed,
    NotYet,
}

/// One row of `operation_steps`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Record {
    pub(crate) seq: i32,
    pub(crate) step: String,
    pub(crate) phase: Phase,
    pub(crate) record: RecordKind,
    pub(crate) output: Option<Value>,
    pub(crate) error: Option<Value>,
    pub(crate) at: DateTime<Utc>,
}

/// What `operation_steps.error` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecordedFailure {
    #[serde(flatten)]
    pub(crate) failure: Failure,
    /// The engine gave up on this: what follows in the same phase is a new beginning, after a person's retry.
    #[serde(rename = "final", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_final: bool,
}

impl RecordedFailure {
    fn read(error: Option<&Value>) -> Self {
        error
            .and_then(|error| serde_json::from_value(error.clone()).ok())
            .unwrap_or_else(|| Self {
                failure: Failure::new("unreadable", "The reason was written by another release."),
                is_final: false,
            })
    }
}

/// What the log says about one phase of one step, since the last final failure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct StepHistory {
    /// Every start, from the very first.
    pub(crate) starts: u32,
    pub(crate) failures: u32,
    /// Starts that never ended.
    pub(crate) interruptions: u32,
    /// The last record is *started*: a try is running, or was cut short.
    pub(crate) is_open: bool,
    pub(crate) first_started_at: Option<DateTime<Utc>>,
    pub(crate) last_started_at: Option<DateTime<Utc>>,
    pub(crate) not_yet_since: Option<DateTime<Utc>>,
    /// What is waited for now.
    pub(crate) not_yet: Option<Failure>,
    /// Everything that was waited for, in order.
    pub(crate) met: Met,
    pub(crate) last_failure: Option<Failure>,
    pub(crate) gave_up: bool,
    pub(crate) done_at: Option<DateTime<Utc>>,
    pub(crate) last_at: Option<DateTime<Utc>>,
}

impl StepHistory {
    pub(crate) fn is_done(&self) -> bool {
        self.done_at.is_some()
    }

    fn add(&mut self, record: &Record) {
        if self.gave_up {
            *self = Self {
                starts: self.starts,
                ..Self::default()
            };
        }
        self.last_at = Some(record.at);
        match record.record {
            RecordKind::Started => {
                if self.is_open {
                    self.interruptions += 1;
                }
                self.starts += 1;
                self.is_open = true;
                self.first_started_at.get_or_insert(record.at);
                self.last_started_at = Some(record.at);
            }
            RecordKind::Done => {
                self.is_open = false;
                self.not_yet = None;
                self.done_at = Some(record.at);
            }
            RecordKind::Failed => {
                let recorded = RecordedFailure::read(record.error.as_ref());
                self.is_open = false;
                self.failures += 1;
                self.not_yet = None;
                self.gave_up = recorded.is_final;
                self.last_failure = Some(recorded.failure);
            }
            RecordKind::NotYet => {
                self.is_open = false;
                self.not_yet_since.get_or_insert(record.at);
                let obstacle = RecordedFailure::read(record.error.as_ref()).failure;
                self.met.add(&obstacle.code, record.at);
                self.not_yet = Some(obstacle);
            }
        }
    }
}

/// What stood in a step's way, each by its code and with the time from which on it did.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Met(Vec<(String, DateTime<Utc>)>);

impl Met {
    fn add(&mut self, code: &str, at: DateTime<Utc>) {
        if self.0.last().is_none_or(|(last, _)| last != code) {
            self.0.push((code.to_owned(), at));
        }
    }

    /// Since when it has been `code`. Something else in between that was over within `overlooked` is not counted: what
    /// crashes again and again is starting in between.
    pub(crate) fn since(&self, code: &str, overlooked: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (mut since, mut until) = (None, now);
        for (met, at) in self.0.iter().rev() {
            if met == code {
                since = Some(*at);
            } else if until - *at > overlooked {
                break;
            }
            until = *at;
        }
        since
    }
}

/// One step as the log knows it.
#[derive(Debug, Clone)]
pub(crate) struct LoggedStep {
    pub(crate) name: String,
    pub(crate) doing: StepHistory,
    pub(crate) undoing: StepHistory,
    pub(crate) output: Option<Value>,
}

/// The whole log, folded; steps in the order in which they first appeared.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepLog {
    steps: Vec<LoggedStep>,
    next_seq: i32,
}

impl StepLog {
    pub(crate) fn fold(records: &[Record]) -> Self {
        let mut log = Self::default();
        for record in records {
            log.add(record);
        }
        log
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.next_seq = self.next_seq.max(record.seq + 1);
        let index = self
            .steps
            .iter()
            .position(|step| step.name == record.step)
            .unwrap_or_else(|| {
                self.steps.push(LoggedStep {
                    name: record.step.clone(),
                    doing: StepHistory::default(),
                    undoing: StepHistory::default(),
                    output: None,
                });
                self.steps.len() - 1
            });
        let step = &mut self.steps[index];
        match record.phase {
            Phase::Do => {
                step.doing.add(record);
                if record.record == RecordKind::Done {
                    step.output = Some(record.output.clone().unwrap_or(Value::Null));
                }
            }
            Phase::Undo => step.undoing.add(record),
        }
    }

    pub(crate) fn next_seq(&self) -> i32 {
        self.next_seq
    }

    pub(crate) fn steps(&self) -> &[LoggedStep] {
        &self.steps
    }

    pub(crate) fn history(&self, step: &str, phase: Phase) -> StepHistory {
        self.steps
            .iter()
            .find(|logged| logged.name == step)
            .map(|logged| match phase {
                Phase::Do => logged.doing.clone(),
                Phase::Undo => logged.undoing.clone(),
            })
            .unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;

    /// A record a second after the one before it.
    pub(crate) fn record(seq: i32, step: &str, phase: Phase, record: RecordKind) -> Record {
        Record {
            seq,
            step: step.to_owned(),
            phase,
            record,
            output: None,
            error: None,
            at: DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::seconds(seq.into()),
        }
    }

    pub(crate) fn failed(seq: i32, step: &str, phase: Phase, code: &'static str, is_final: bool) -> Record {
        let failure = RecordedFailure {
            failure: Failure::new(code, "said so"),
            is_final,
        };
        Record {
            error: serde_json::to_value(failure).ok(),
            ..record(seq, step, phase, RecordKind::Failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{failed, record};
    use super::*;

    #[test]
    fn a_start_without_an_end_is_an_interruption_once_the_next_one_starts() {
        let mut log = StepLog::fold(&[record(0, "a", Phase::Do, RecordKind::Started)]);
        let history = log.history("a", Phase::Do);
        assert!(history.is_open);
        assert_eq!((history.starts, history.interruptions), (1, 0));
        log.add(&record(1, "a", Phase::Do, RecordKind::Started));
        log.add(&record(2, "a", Phase::Do, RecordKind::Done));
        let history = log.history("a", Phase::Do);
        assert_eq!((history.starts, history.interruptions, history.is_done()), (2, 1, true));
        assert_eq!(log.next_seq(), 3);
    }

    #[test]
    fn a_final_failure_gives_the_next_beginning_all_its_tries_back() {
        let log = StepLog::fold(&[
            record(0, "a", Phase::Undo, RecordKind::Started),
            failed(1, "a", Phase::Undo, "no", false),
            record(2, "a", Phase::Undo, RecordKind::Started),
            failed(3, "a", Phase::Undo, "no", true),
        ]);
        assert!(log.history("a", Phase::Undo).gave_up);
        let mut again = log.clone();
        again.add(&record(4, "a", Phase::Undo, RecordKind::Started));
        let history = again.history("a", Phase::Undo);
        assert_eq!((history.starts, history.failures, history.gave_up), (3, 0, false));
    }

    #[test]
    fn not_yet_counts_from_the_first_time() {
        let mut second = record(2, "a", Phase::Do, RecordKind::NotYet);
        second.error = serde_json::to_value(Failure::new("starting", "pods")).ok();
        let log = StepLog::fold(&[
            record(0, "a", Phase::Do, RecordKind::Started),
            record(1, "a", Phase::Do, RecordKind::NotYet),
            second,
        ]);
        let history = log.history("a", Phase::Do);
        assert_eq!(
            history.not_yet_since,
            Some(DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::seconds(1))
        );
        assert_eq!(history.not_yet, Some(Failure::new("starting", "pods")));
        assert!(!history.is_open);
    }

    #[test]
    fn an_obstacle_counts_from_when_it_appeared() {
        let at = |secs| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(secs);
        let met = |codes: &[(&str, i64)]| {
            let mut met = Met::default();
            codes.iter().for_each(|(code, secs)| met.add(code, at(*secs)));
            met
        };
        let since = |met: &Met, now| {
            met.since("image", TimeDelta::seconds(45), at(now))
                .map(|at| at.timestamp())
        };
        assert_eq!(since(&met(&[]), 900), None);
        assert_eq!(since(&met(&[("room", 0)]), 900), None);
        assert_eq!(since(&met(&[("room", 0), ("image", 300)]), 301), Some(300));
        assert_eq!(
            since(&met(&[("image", 0), ("room", 10), ("image", 300)]), 301),
            Some(300)
        );
        // In between it was something else for a moment, or is so now.
        assert_eq!(since(&met(&[("image", 0), ("start", 10), ("image", 20)]), 60), Some(0));
        assert_eq!(since(&met(&[("image", 0), ("start", 50)]), 60), Some(0));
        assert_eq!(since(&met(&[("image", 0), ("start", 50)]), 120), None);
        // The same, said in other words.
        assert_eq!(since(&met(&[("image", 5), ("image", 20)]), 60), Some(5));
    }
}
