//! What a failed sign-in costs, or a mail that anybody may ask for: growing pauses, for the account or inbox and for the
//! address it came from.

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
/// For one inbox that one network has mail sent to: whoever waits for one mail asks for a few.
pub const PER_INBOX: Throttle = Throttle {
    free: 5,
    longest: TimeDelta::hours(1),
};
/// For one inbox, whoever asks. More than one network gets, so that a stranger somewhere else does not keep the owner from
/// a mail; and not for ever more, so that many do not fill the inbox.
pub const PER_INBOX_IN_ALL: Throttle = Throttle {
    free: 20,
    longest: TimeDelta::hours(1),
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

impl Failures {
    /// One more.
    #[must_use]
    pub fn and_one(self, now: DateTime<Utc>) -> Self {
        let count = if now - self.last_at > FORGOTTEN_AFTER {
            0
        } else {
            self.count
        };
        Self {
            count: count.saturating_add(1),
            last_at: now,
        }
    }
}

/// How much is left to somebody, to be told so before it is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Attempts that cost nothing.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// With none left, how long the pause is; else when all of them are back, which with none used is now.
    pub resets_after: TimeDelta,
}

impl Allowance {
    /// The one that is used up sooner.
    #[must_use]
    pub fn or_less(self, other: Self) -> Self {
        let key = |allowance: &Self| (allowance.remaining, std::cmp::Reverse(allowance.resets_after));
        if key(&other) < key(&self) { other } else { self }
    }
}

impl Throttle {
    /// What is left after no failure at all.
    #[must_use]
    pub const fn untouched(&self) -> Allowance {
        Allowance {
            limit: self.free,
            remaining: self.free,
            resets_after: TimeDelta::zero(),
        }
    }

    /// What is left after these failures.
    #[must_use]
    pub fn allowance(&self, failures: Failures, now: DateTime<Utc>) -> Allowance {
        let forgotten_in = (failures.last_at + FORGOTTEN_AFTER - now).clamp(TimeDelta::zero(), FORGOTTEN_AFTER);
        let count = if forgotten_in.is_zero() { 0 } else { failures.count };
        if count == 0 {
            return self.untouched();
        }
        Allowance {
            limit: self.free,
            remaining: self.free.saturating_sub(count),
            resets_after: self.pause(failures, now).unwrap_or(forgotten_in),
        }
    }

    /// How long to wait until the next attempt is looked at; `None` if it may be now. The pause is one second after the
    /// first failure that counts, and doubles.
    #[must_use]
    pub fn pause(&self, failures: Failures, now: DateTime<Utc>) -> Option<TimeDelta> {
        if failures.count < self.free || now - failures.last_at > FORGOTTEN_AFTER {
            return None;
        }
        let doublings = (failures.count - self.free).min(20);
        let pause = TimeDelta::seconds(1_i64 << doublings).min(self.longest);
        let left = failures.last_at + pause - now;
        // A failure from further ahead than its own pause was dated by a clock that has been set back since: waiting
        // until that time comes again would lock its account out for as long as the clock was wrong.
        let is_dated_wrongly = left > pause * 2;
        (left > TimeDelta::zero() && !is_dated_wrongly).then_some(left.min(pause))
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
    fn the_allowance_counts_down_to_the_pause() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let after = |count| PER_ACCOUNT.allowance(Failures { count, last_at: now }, now);
        assert_eq!(after(0), PER_ACCOUNT.untouched());
        assert_eq!((after(1).limit, after(1).remaining), (5, 4));
        assert_eq!(after(1).resets_after, FORGOTTEN_AFTER);
        assert_eq!((after(5).remaining, after(5).resets_after), (0, TimeDelta::seconds(1)));
        assert_eq!((after(7).remaining, after(7).resets_after), (0, TimeDelta::seconds(4)));
        assert_eq!(after(1).or_less(after(7)), after(7));
        assert_eq!(after(7).or_less(after(6)), after(7));
        let old = Failures { count: 9, last_at: now }.and_one(now + TimeDelta::days(2));
        assert_eq!(old.count, 1, "old failures are forgotten");
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out() {
        assert_eq!(pause_after(9, -1), Some(16), "another server's clock is a little ahead");
        assert_eq!(pause_after(9, -16), Some(16));
        assert_eq!(pause_after(9, -17), None);
        assert_eq!(pause_after(1_000_000, -86_400), None);
    }
}
