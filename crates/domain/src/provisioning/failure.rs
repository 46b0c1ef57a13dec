//! What a customer reads when a tenant is not running, and when the next attempt is made.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Why a tenant is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReason {
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub detail: String,
    /// What happens next, or what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How long after each failed attempt the next one starts by itself.
const NEXT_ATTEMPT_AFTER_HOURS: [i64; 3] = [1, 6, 24];

/// When to try again after attempt number `attempt` (the first is 1) failed at `now`; `None` when a person must look.
#[must_use]
pub fn next_attempt(attempt: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
    NEXT_ATTEMPT_AFTER_HOURS
        .get(index)
        .map(|hours| now + TimeDelta::hours(*hours))
}

/// The reason kept with a tenant whose operation gave up: technical words stay with the operation, for the operator.
#[must_use]
pub fn after_giving_up(code: &str, next_attempt_at: Option<DateTime<Utc>>) -> StateReason {
    StateReason {
        code: code.to_owned(),
        detail: "Setting up this site did not succeed. We are on it; your subscription is not affected.".to_owned(),
        next: Some(match next_attempt_at {
            Some(at) => format!(
                "The next attempt starts by itself at {}.",
                at.format("%Y-%m-%d %H:%M UTC")
            ),
            None => "Our team has been told and will take it from here.".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_follow_after_one_six_and_twenty_four_hours_then_a_person() {
        let now = DateTime::UNIX_EPOCH;
        let hours = |attempt| next_attempt(attempt, now).map(|at| (at - now).num_hours());
        assert_eq!(
            [hours(1), hours(2), hours(3), hours(4)],
            [Some(1), Some(6), Some(24), None]
        );
    }
}
