use std::time::Duration;

/// How long and how often a step is tried.
///
/// ```
/// # use std::time::Duration;
/// # use tenantry_operations::StepPolicy;
/// const PATIENT: StepPolicy = StepPolicy::DEFAULT
///     .max_attempts(8)
///     .not_yet_deadline(Duration::from_secs(900));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPolicy {
    /// Failures that are answered by another try, the last one included.
    pub max_attempts: u32,
    /// The pause before try n+1 lies between nothing and `base × 2ⁿ⁻¹`, at most `cap` (full jitter).
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    /// One try may take this long; then its future is dropped and the try has failed.
    pub attempt_timeout: Duration,
    /// All tries together, counted from the first start. None: only the number of tries counts.
    pub deadline: Option<Duration>,
    /// How long the step may say *not yet*, counted from the first time.
    pub not_yet_deadline: Duration,
    /// Starts that never ended, because a worker died or lost its lease. More of them mean that the step kills its
    /// worker.
    pub max_interruptions: u32,
}

impl StepPolicy {
    pub const DEFAULT: Self = Self {
        max_attempts: 5,
        backoff_base: Duration::from_millis(500),
        backoff_cap: Duration::from_secs(30),
        attempt_timeout: Duration::from_secs(120),
        deadline: None,
        not_yet_deadline: Duration::from_secs(600),
        max_interruptions: 20,
    };

    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    #[must_use]
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff_base = base;
        self.backoff_cap = cap;
        self
    }

    #[must_use]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    #[must_use]
    pub const fn not_yet_deadline(mut self, deadline: Duration) -> Self {
        self.not_yet_deadline = deadline;
        self
    }

    #[must_use]
    pub const fn max_interruptions(mut self, interruptions: u32) -> Self {
        self.max_interruptions = interruptions;
        self
    }
}

impl Default for StepPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The pause after the `failures`-th failure (from 1); `random` lies in `[0, 1)`.
pub(crate) fn backoff(base: Duration, cap: Duration, failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(32);
    let ceiling = base
        .checked_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        .unwrap_or(cap)
        .min(cap);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(1));
        let pauses: Vec<_> = (1..=6).map(|n| backoff(base, cap, n, 1.0).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff(base, cap, 3, 0.0), Duration::ZERO);
        assert_eq!(backoff(base, cap, u32::MAX, 0.5), Duration::from_millis(500));
    }
}
