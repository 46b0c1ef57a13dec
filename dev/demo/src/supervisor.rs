//! Programs that the demonstration started, and how each is stopped.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::{Child, Command};

use crate::{error::DemoError, guest::Guest, report::say};

const PATIENCE: Duration = Duration::from_secs(10);
const LINES_OF_LOG: usize = 25;

/// A program that runs until it is stopped.
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// Keeps what was started, in order.
#[derive(Default)]
pub struct Supervisor {
    running: Vec<Running>,
    /// Commands that take down what outlives its own starter, such as a cluster.
    farewells: Vec<(&'static str, Command)>,
    guest: Option<Guest>,
}

impl Supervisor {
    /// Starts a program with its output in a log file.
    pub fn start(&mut self, name: &'static str, mut command: Command, log: &Path) -> Result<(), DemoError> {
        let file = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DemoError::Part {
                part: name,
                reason: error.to_string(),
            })?;
        self.running.push(Running {
            name,
            child,
            log: log.to_owned(),
        });
        Ok(())
    }

    /// Remembers how something is taken down that is not a child of ours. Say so before it is started: a start that
    /// is interrupted half-way leaves something too.
    pub fn at_the_end(&mut self, name: &'static str, command: Command) {
        self.farewells.push((name, command));
    }

    /// Remembers whose tenants are removed first, while everything runs.
    pub fn is_guest(&mut self, guest: Guest) {
        self.guest = Some(guest);
    }

    /// Returns when any program ends by itself.
    pub async fn until_one_ends(&mut self) -> Result<(), DemoError> {
        let ends = self.running.iter_mut().map(|running| {
            Box::pin(async {
                let _ = running.child.wait().await;
                running.name
            })
        });
        let (name, ..) = futures::future::select_all(ends).await;
        Err(DemoError::Ended(name))
    }

    /// Shows the end of each log.
    pub fn print_logs(&self) {
        for running in &self.running {
            let text = std::fs::read_to_string(&running.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("--- {} ({})", running.name, running.log.display());
            for line in &lines[lines.len().saturating_sub(LINES_OF_LOG)..] {
                eprintln!("{line}");
            }
        }
    }

    /// The process id of a running program.
    pub fn process_id(&self, name: &str) -> Option<u32> {
        self.running.iter().find(|running| running.name == name)?.child.id()
    }

    /// Stops one program and forgets it.
    pub async fn stop_one(&mut self, name: &str) {
        if let Some(index) = self.running.iter().position(|running| running.name == name) {
            terminate(&mut self.running.remove(index).child).await;
        }
    }

    /// Stops everything, latest first: asks, waits, then insists.
    pub async fn stop(&mut self) {
        if let Some(guest) = self.guest.take() {
            guest.leave().await;
        }
        while let Some(mut running) = self.running.pop() {
            terminate(&mut running.child).await;
        }
        while let Some((name, mut command)) = self.farewells.pop() {
            // In a group of its own, like all that we start: the terminal sends Ctrl-C to the foreground's, and whoever
            // presses it twice means us, not the cleaning up.
            let ended = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .process_group(0)
                .status()
                .await;
            if !ended.is_ok_and(|status| status.success()) {
                say(&format!("{name} could not be stopped cleanly"));
            }
        }
    }
}

async fn terminate(child: &mut Child) {
    let Some(id) = child.id() else { return };
    signal("-TERM", id).await;
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        signal("-KILL", id).await;
        let _ = child.wait().await;
    }
}

/// Signals a program and all that it started.
async fn signal(name: &str, id: u32) {
    let _ = Command::new("kill")
        .args([name, "--", &format!("-{id}")])
        .stderr(Stdio::null())
        .process_group(0)
        .status()
        .await;
}
