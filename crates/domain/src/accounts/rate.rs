//! How often somebody may ask for something that nobody fails at: so many times at once, and once more whenever a little
//! time has passed.

use chrono::{DateTime, TimeDelta, Utc};

use super::throttle::Allowance;

/// What one subject may use up, and how fast it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once, after a rest.
    pub burst: u16,
    /// After so long there is one more.
    pub refill: TimeDelta,
}

/// Tokens that one network asks for: a server of a product, or an office full of people.
pub const TOKENS_PER_NETWORK: Rate = Rate {
    burst: 1000,
    refill: TimeDelta::milliseconds(20),
};
/// Tokens that a client asks for which has shown its secret, from wherever its servers are.
pub const TOKENS_PER_CLIENT: Rate = Rate {
    burst: 2000,
    refill: TimeDelta::milliseconds(10),
};
/// Tokens that one network asks for in the name of a client without a secret. Anybody can use that name: counted for all
/// networks together, a stranger could keep everybody else out.
pub const TOKENS_PER_PUBLIC_CLIENT: Rate = Rate {
    burst: 120,
    refill: TimeDelta::milliseconds(250),
};

/// Passwords that one network has estimated: a page asks at every pause of whoever types, and an office types at once.
pub const ESTIMATES_PER_NETWORK: Rate = Rate {
    burst: 300,
    refill: TimeDelta::milliseconds(500),
};

/// Organizations that one person makes: a day's work at once for somebody who moves in, and no more than a script that ran
/// wild should leave behind.
pub const ORGANIZATIONS_PER_PERSON: Rate = Rate {
    burst: 20,
    refill: TimeDelta::minutes(10),
};

/// Once more was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// When all that was used up is back.
    pub used_until: DateTime<Utc>,
    /// What is left.
    pub left: Allowance,
}

impl Rate {
    /// What is left when nothing was used up.
    #[must_use]
    pub fn untouched(&self) -> Allowance {
        self.allowance(u32::from(self.burst), TimeDelta::zero())
    }

    /// Uses one up. `used_until` is when all that was used up before is back.
    ///
    /// # Errors
    /// Nothing is left, and how long the pause is.
    pub fn take(&self, used_until: DateTime<Utc>, now: DateTime<Utc>) -> Result<Taken, Allowance> {
        let full_at = now + self.refill * i32::from(self.burst);
        // Further ahead than anybody can have come: the clock jumped backwards, and must not lock anybody out.
        let has_jumped = used_until > full_at + self.refill;
        let used_until = if has_jumped { now } else { used_until.max(now) };
        let next = used_until + self.refill;
        let pause = next - full_at;
        if pause > TimeDelta::zero() {
            return Err(self.allowance(0, pause));
        }
        let remaining = (full_at - next).num_milliseconds() / self.refill.num_milliseconds().max(1);
        let remaining = u32::try_from(remaining).unwrap_or_default();
        let resets_after = if remaining == 0 {
            next + self.refill - full_at
        } else {
            next - now
        };
        Ok(Taken {
            used_until: next,
            left: self.allowance(remaining, resets_after),
        })
    }

    fn allowance(&self, remaining: u32, resets_after: TimeDelta) -> Allowance {
        Allowance {
            limit: u32::from(self.burst),
            remaining,
            resets_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Rate = Rate {
        burst: 3,
        refill: TimeDelta::seconds(10),
    };

    fn start() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    #[test]
    fn a_burst_is_used_up_and_comes_back_one_by_one() {
        let now = start();
        let mut used_until = now - TimeDelta::days(1);
        for remaining in [2, 1, 0] {
            let taken = THREE.take(used_until, now).unwrap();
            assert_eq!((taken.left.limit, taken.left.remaining), (3, remaining));
            used_until = taken.used_until;
        }
        let refused = THREE.take(used_until, now).unwrap_err();
        assert_eq!((refused.remaining, refused.resets_after), (0, TimeDelta::seconds(10)));
        let almost = now + TimeDelta::seconds(9);
        assert_eq!(
            THREE.take(used_until, almost).unwrap_err().resets_after,
            TimeDelta::seconds(1)
        );
        let later = now + TimeDelta::seconds(10);
        let taken = THREE.take(used_until, later).unwrap();
        assert_eq!(
            (taken.left.remaining, taken.left.resets_after),
            (0, TimeDelta::seconds(10))
        );
        assert!(THREE.take(taken.used_until, later).is_err());
        let rested = THREE.take(taken.used_until, later + TimeDelta::seconds(30)).unwrap();
        assert_eq!(
            (rested.left.remaining, rested.left.resets_after),
            (2, TimeDelta::seconds(10))
        );
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out() {
        let used_until = THREE.take(start(), start()).unwrap().used_until;
        assert!(THREE.take(used_until, start() - TimeDelta::days(1)).is_ok());
    }
}
