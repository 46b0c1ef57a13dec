//! A stand-in of a test's own.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: each test file uses a part, and a failure is a failed test"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running stand-in; ended when dropped.
pub struct StandIn {
    pub url: String,
    process: Child,
}

impl StandIn {
    /// Starts one on a free port and waits for the line that says where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_stripe-stand-in"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the stand-in starts");
        let output = process.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it says where it listens");
        let url = line.split_whitespace().last().expect("an address").to_owned();
        Self { url, process }
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) {
        let id = self.process.id().to_string();
        Command::new("kill").arg(&id).status().expect("kill runs");
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "the stand-in ended with {status}");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended already; nothing else can go wrong here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository")
}

/// What a command prints; the test fails where the command does.
pub fn output_of(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().expect("the command runs");
    assert!(output.status.success(), "{command:?} failed: {}", output.status);
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
