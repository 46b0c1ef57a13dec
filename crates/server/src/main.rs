//! The `tenantry` program: reads the command line and the configuration, wires the parts, runs.

mod cli;
mod commands;
mod config;
mod exit;
#[cfg(any(debug_assertions, feature = "fault-injection"))]
mod kill_points;
mod print;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::cli::Cli;

/// A password's hash takes 19 MiB for a moment. The C library's allocator keeps as much for each thread that ever hashed one;
/// this one gives it back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tenantry: {failure}");
            failure.exit_code()
        }
    }
}
