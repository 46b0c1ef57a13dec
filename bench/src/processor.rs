//! Who used the processors: the kernel's own accounting, in clock ticks.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Over such a span it is judged whether the machine is quiet.
const WINDOW: Duration = Duration::from_millis(250);
/// So many of them must be quiet in a row.
const WINDOWS: u32 = 3;
/// A cluster is never quite idle.
const QUIET: f64 = 0.25;
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until what was done before has ended: until the processors are quiet. Returns the share of them that is in use
/// then, from 0 to 1; a machine that does not become quiet is told by it.
pub async fn until_quiet() -> f64 {
    let begun = Instant::now();
    let mut quiet = 0;
    loop {
        let before = Machine::now();
        tokio::time::sleep(WINDOW).await;
        let busy = Machine::now().busy_since(before);
        quiet = if busy <= QUIET { quiet + 1 } else { 0 };
        if quiet == WINDOWS || begun.elapsed() > PATIENCE {
            return busy;
        }
    }
}

/// Ticks of the whole machine at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Machine {
    busy: u64,
    all: u64,
}

impl Machine {
    /// Zeros where the kernel does not tell.
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::read(&stat).unwrap_or_default()
    }

    /// Busy is everything but idle and waiting.
    fn read(stat: &str) -> Option<Self> {
        let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
        let mut machine = Self::default();
        for (index, ticks) in fields.map_while(|field| field.parse::<u64>().ok()).enumerate() {
            machine.all += ticks;
            if !matches!(index, 3 | 4) {
                machine.busy += ticks;
            }
        }
        Some(machine)
    }

    fn busy_since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all).max(1);
        self.busy.saturating_sub(earlier.busy) as f64 / all as f64
    }
}

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
        Self {
            own,
            machine: Machine::now().busy,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_tables() {
        assert_eq!(own_ticks("7 (a b) c) S 1 1 1 0 -1 4 0 0 0 0 12 30 0 0"), Some(42));
        let machine = Machine::read("cpu  1 2 3 400 500 6 0 0 0 0\ncpu0 1");
        assert_eq!(machine, Some(Machine { busy: 12, all: 912 }));
    }

    #[test]
    fn what_was_used_before_does_not_count() {
        let earlier = Machine { busy: 100, all: 1000 };
        let later = Machine { busy: 110, all: 1040 };
        assert_eq!(later.busy_since(earlier), 0.25);
    }
}
