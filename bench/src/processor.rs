//! Who used the processors: the kernel's own accounting, in clock ticks.

use std::fs;

/// Ticks used by this process and by the whole machine at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Ticks {
    own: u64,
    machine: u64,
}

impl Ticks {
    /// Reads both; zeros where the kernel does not tell.
    pub fn now() -> Self {
        let own = fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| own_ticks(&stat))
            .unwrap_or_default();
        let machine = fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|stat| busy_ticks(&stat))
            .unwrap_or_default();
        Self { own, machine }
    }

    /// The share of all busy processor time since `earlier` that this process used, from 0 to 1.
    pub fn share_since(self, earlier: Self) -> f64 {
        let machine = self.machine.saturating_sub(earlier.machine);
        if machine == 0 {
            0.0
        } else {
            self.own.saturating_sub(earlier.own) as f64 / machine as f64
        }
    }
}

/// User and system time: the 14th and 15th field, counted behind the name in parentheses.
fn own_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Everything but idle and waiting.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    Some(
        ticks
            .iter()
            .enumerate()
            .filter(|(index, _)| !matches!(index, 3 | 4))
            .map(|(_, ticks)| ticks)
            .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_tables() {
        assert_eq!(own_ticks("7 (a b) c) S 1 1 1 0 -1 4 0 0 0 0 12 30 0 0"), Some(42));
        assert_eq!(busy_ticks("cpu  1 2 3 400 500 6 0 0 0 0\ncpu0 1"), Some(12));
    }
}
