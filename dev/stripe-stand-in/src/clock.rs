//! The stand-in's time: the machine's clock plus an offset that tests may enlarge.

use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};

/// Seconds since 1970, as Stripe writes every time.
pub(crate) type Timestamp = i64;

/// A clock that runs with the machine's and can be moved forward.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    offset_secs: i64,
    /// While due work is replayed in order, time stands still at the moment that the work was due.
    #[serde(skip)]
    held_at: Option<Timestamp>,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        self.held_at.unwrap_or_else(|| machine_time() + self.offset_secs)
    }

    pub(crate) fn offset_secs(&self) -> i64 {
        self.offset_secs
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset_secs += seconds;
    }

    pub(crate) fn hold_at(&mut self, moment: Timestamp) {
        self.held_at = Some(moment);
    }

    pub(crate) fn release(&mut self) {
        self.held_at = None;
    }
}

/// The machine's time in seconds. Signatures use it even when the stand-in's clock was moved: the receiver compares
/// them with its own clock.
pub(crate) fn machine_time() -> Timestamp {
    Utc::now().timestamp()
}

/// The machine's time in milliseconds, for delays between deliveries.
pub(crate) fn machine_millis() -> i64 {
    Utc::now().timestamp_millis()
}

/// The end of a billing period that begins at `start`, counted from `anchor` so that a subscription which began on the
/// 31st returns to the 31st after a short month.
pub(crate) fn period_end(anchor: Timestamp, start: Timestamp, interval: &str, count: u32) -> Timestamp {
    let count = count.max(1);
    let step = |times: u32| -> Option<Timestamp> {
        let days = |days: i64| Some(anchor + days * 86_400 * i64::from(times) * i64::from(count));
        let months = |months: u32| {
            DateTime::<Utc>::from_timestamp(anchor, 0)?
                .checked_add_months(Months::new(months.checked_mul(times)?.checked_mul(count)?))
                .map(|moment| moment.timestamp())
        };
        match interval {
            "day" => days(1),
            "week" => days(7),
            "year" => months(12),
            _ => months(1),
        }
    };
    let mut times = 1;
    while let Some(end) = step(times) {
        if end > start {
            return end;
        }
        times += 1;
    }
    start + 30 * 86_400
}

#[cfg(test)]
mod tests {
    use super::{Clock, period_end};

    fn at(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    #[test]
    fn advancing_moves_now() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(3_600);
        assert!(clock.now() >= before + 3_600);
        clock.hold_at(42);
        assert_eq!(clock.now(), 42);
        clock.release();
        assert!(clock.now() > 42);
    }

    #[test]
    fn months_return_to_the_day_of_the_anchor() {
        let anchor = at("2026-01-31T10:00:00Z");
        let february = period_end(anchor, anchor, "month", 1);
        assert_eq!(february, at("2026-02-28T10:00:00Z"));
        assert_eq!(period_end(anchor, february, "month", 1), at("2026-03-31T10:00:00Z"));
        assert_eq!(period_end(anchor, anchor, "year", 1), at("2027-01-31T10:00:00Z"));
        assert_eq!(period_end(anchor, anchor, "week", 2), anchor + 14 * 86_400);
    }
}
