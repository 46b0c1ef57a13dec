//! The engine and the job worker against a real PostgreSQL, under the real schema, as the role that the server uses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say what they measured"
)]

mod support;

mod chaos;
mod crash;
mod fencing;
mod hooks;
mod jobs;
mod outcomes;
mod process;
mod progress;
mod sharing;
mod waiting;
