//! What a failed sign-in costs: growing pauses, for the account and for the address it came from.

use chrono::{DateTime, TimeDelta, Utc};

/// How failures turn into pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Failures that cost nothing.
    pub free: u32,
    /// No pause is longer.
    pub longest: TimeDelta,
}

/// For one account: five mistakes are human.
pub const PER_ACCOUNT: Throttle = Throttle {
    free: 5,
    longest: TimeDelta::minutes(15),
};
/// For one network address, behind which an office may sit.
pub const PER_ADDRESS: Throttle = Throttle {
    free: 50,
    longest: TimeDelta::minutes(15),
};
/// Failures older than this are forgotten.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(24);

/// Failed sign-ins so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many in a row.
    pub count: u32,
    /// The last one.
    pub last_at: DateTime<Utc>,
}

impl Throttle {
    /// How long to wait until the next attempt is looked at; `None` if it may be now. The pause is one second after the
    /// first failure that counts, and doubles.
    #[must_use]
    pub fn pause(&self, failures: Failures, now: DateTime<Utc>) -> Option<TimeDelta> {
        if failures.count < self.free || now - failures.last_at > FORGOTTEN_AFTER {
            return None;
        }
        let doublings = (failures.count - self.free).min(20);
        let pause = TimeDelta::seconds(1_i64 << doublings).min(self.longest);
        // A clock that jumped backwards must not lock anybody out for longer than the pause itself.
        let left = (failures.last_at + pause - now).min(pause);
        (left > TimeDelta::zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause_after(count: u32, seconds_since: i64) -> Option<i64> {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        PER_ACCOUNT
            .pause(
                Failures {
                    count,
                    last_at: now - TimeDelta::seconds(seconds_since),
                },
                now,
            )
            .map(|pause| pause.num_seconds())
    }

    #[test]
    fn the_pause_grows_and_ends() {
        assert_eq!(pause_after(4, 0), None);
        assert_eq!(pause_after(5, 0), Some(1));
        assert_eq!(pause_after(5, 1), None);
        assert_eq!(pause_after(9, 0), Some(16));
        assert_eq!(pause_after(1_000_000, 0), Some(900));
        assert_eq!(pause_after(1_000_000, 86_401), None);
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out() {
        assert_eq!(pause_after(5, -86_400), Some(1));
    }
}
