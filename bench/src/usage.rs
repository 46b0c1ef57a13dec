//! Processor time by program: what a round of tenants costs, and whom.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

/// Of the kernel's accounting in `/proc`; the same on every machine that Linux supports today.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time by the name of the program.
pub type Seconds = BTreeMap<String, f64>;

/// What every process has used so far, with what its ended children have used.
#[derive(Debug, Default)]
pub struct Snapshot(HashMap<Process, Used>);

/// A process id alone may be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Process {
    id: u32,
    started: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    program: String,
    own: u64,
    children: u64,
}

impl Snapshot {
    /// Looks at every process of the machine.
    pub fn take() -> Self {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Self::default();
        };
        let seen = entries.flatten().filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let (name, started, own, children) = read_stat(&stat)?;
            let program = program(&command).unwrap_or(name);
            Some((Process { id, started }, Used { program, own, children }))
        });
        Self(seen.collect())
    }

    /// What was used since `earlier`, by program. Children that have ended count under `PROGRAM: commands`, since nobody
    /// can say any more what they were.
    pub fn since(&self, earlier: &Self) -> Seconds {
        let mut seconds = Seconds::new();
        for (process, used) in &self.0 {
            let (own, children) = earlier
                .0
                .get(process)
                .map_or((0, 0), |before| (before.own, before.children));
            let mut add = |name: String, ticks: u64| {
                if ticks > 0 {
                    *seconds.entry(name).or_default() += ticks as f64 / TICKS_PER_SECOND;
                }
            };
            add(used.program.clone(), used.own.saturating_sub(own));
            add(
                format!("{}: commands", used.program),
                used.children.saturating_sub(children),
            );
        }
        seconds
    }
}

/// Name, start, own time and that of ended children, in ticks: fields 2, 22, 14 + 15, 16 + 17.
fn read_stat(stat: &str) -> Option<(String, u64, u64, u64)> {
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // The first of them is field 3.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some((
        name.to_owned(),
        number(22)?,
        number(14)? + number(15)?,
        number(16)? + number(17)?,
    ))
}

/// The file's name; of the file that is every program of Kubernetes, the word that says which.
fn program(command: &[u8]) -> Option<String> {
    let mut words = command.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let word = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let first = word(words.next()?);
    // PostgreSQL writes what it does behind its name.
    let first = first.split(':').next()?.trim();
    let name = first.rsplit('/').next()?;
    match name {
        "kube" => words.next().map(word),
        name if name.starts_with("containerd-shim") => Some("containerd".to_owned()),
        name => Some(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a b) c) S 1 1 1 0 -1 4 0 0 0 0 12 30 5 6 20 0 1 0 777 0 0";

    fn snapshot(own: u64, children: u64) -> Snapshot {
        let used = Used {
            program: "tenantry".to_owned(),
            own,
            children,
        };
        Snapshot(HashMap::from([(Process { id: 7, started: 777 }, used)]))
    }

    #[test]
    fn reads_the_kernels_table() {
        assert_eq!(read_stat(STAT), Some(("a b) c".to_owned(), 777, 42, 11)));
    }

    #[test]
    fn a_program_is_named_by_what_it_does() {
        assert_eq!(program(b"/cache/kube\0etcd\0--x\0").as_deref(), Some("etcd"));
        assert_eq!(
            program(b"postgres: tenantry app [local] idle\0").as_deref(),
            Some("postgres")
        );
        assert_eq!(
            program(b"/target/release/tenantry\0serve\0").as_deref(),
            Some("tenantry")
        );
        assert_eq!(program(b""), None);
    }

    #[test]
    fn what_was_used_before_does_not_count() {
        let seconds = snapshot(250, 400).since(&snapshot(50, 100));
        assert_eq!(
            seconds,
            Seconds::from([("tenantry".to_owned(), 2.0), ("tenantry: commands".to_owned(), 3.0)])
        );
    }
}
