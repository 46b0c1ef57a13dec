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

use crate::cli::Cli;

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
