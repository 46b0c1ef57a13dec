//! A `tenantry serve` process that a test may kill, pause and look into.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use tenantry_test_support::wait_for;
use tokio::process::{Child, Command};

use super::PATIENCE;

/// Ends with the test, however that ends: the kernel kills it when the thread that started it is gone.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    log: PathBuf,
}

impl Server {
    /// Runs a command that serves at `url`.
    pub(crate) fn spawn(program: &Command, url: String, log: PathBuf) -> Self {
        let program = program.as_std();
        let output = File::create(&log).expect("a log file");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .kill_on_drop(true);
        let child = command.spawn().expect("setpriv runs tenantry");
        Self { child, url, log }
    }

    /// Waits until it answers.
    pub(crate) async fn ready(mut self) -> Self {
        let client = reqwest::Client::new();
        wait_for("the server to be ready", PATIENCE, async || {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("the server ended with {status}:\n{}", self.last_words());
            }
            let answer = client.get(format!("{}/ready", self.url)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        self
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn until_it_ends(mut self) -> (ExitStatus, String) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended
            .unwrap_or_else(|_| panic!("the server did not end:\n{}", self.last_words()))
            .expect("a child of ours");
        (status, fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// Waits until it has died at the point that it was started with.
    pub(crate) async fn until_killed(self, point: &str) {
        const SIGABRT: i32 = 6;
        let (status, log) = self.until_it_ends().await;
        assert_eq!(status.signal(), Some(SIGABRT), "{point}: {status}\n{}", tail(&log));
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a child of ours");
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop(self) {
        self.signal("TERM").await;
        let (status, log) = self.until_it_ends().await;
        assert!(status.success(), "an orderly end: {status}\n{}", tail(&log));
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// Lets it go on.
    pub(crate) async fn resume(&self) {
        self.signal("CONT").await;
    }

    /// Everything that it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn last_words(&self) -> String {
        tail(&self.log())
    }

    async fn signal(&self, name: &str) {
        let id = self.child.id().expect("a running server").to_string();
        let status = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await
            .expect("kill");
        assert!(status.success(), "kill -s {name}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of {}\n{}", self.log.display(), self.last_words());
        }
    }
}

fn tail(log: &str) -> String {
    const LINES: usize = 25;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
