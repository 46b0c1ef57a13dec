//! Many durations, summed up.

use std::time::Duration;

use serde::Serialize;

/// The usual figures of a set of durations, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Latency {
    /// Sorts and picks; zeros where nothing was measured.
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |share: f64| {
            let last = durations.len().saturating_sub(1);
            // A rank in a list that fits memory: exact in f64.
            let index = ((durations.len() as f64 * share).ceil() as usize)
                .saturating_sub(1)
                .min(last);
            durations
                .get(index)
                .map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
        };
        Self {
            p50_ms: at(0.50),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_exact() {
        let latency = Latency::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((latency.p50_ms, latency.p99_ms, latency.max_ms), (50.0, 99.0, 100.0));
        assert_eq!(Latency::of(Vec::new()).p99_ms, 0.0);
    }
}
