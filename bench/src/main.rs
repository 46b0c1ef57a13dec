//! Measures what targets are set for, each beside a baseline taken in the same run, and writes the figures down.
//!
//! `bench/run` builds everything for release and starts this.

#![allow(clippy::print_stdout)]

mod connection;
mod footprint;
mod intake;
mod latency;
mod page;
mod processor;
mod provisioning;
mod results;
mod script;
mod usage;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use tenantry_demo::{
    error::DemoError,
    options::Options,
    parts::{Parts, control_plane::tenantry, free_port, until_answers},
    supervisor::Supervisor,
};

use crate::results::Results;

const INTAKE_SPAN: Duration = Duration::from_secs(15);
const START: Duration = Duration::from_secs(20);
/// Only in this run, only on loopback.
const WEBHOOK_SECRET: &str = "whsec_bench";
const API_VERSION: &str = "2026-08-26.dahlia";

/// Measures on this machine.
#[derive(Debug, Parser)]
#[command(name = "tenantry-bench")]
struct Arguments {
    /// Only this.
    #[arg(long, value_enum)]
    only: Option<Subject>,
    /// How often ours and the script take turns, for each number of tenants at once.
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    #[command(flatten)]
    options: Options,
}

/// What can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Webhook intake.
    P1,
    /// Payment to active tenant.
    P2,
}

impl Arguments {
    fn wants(&self, subject: Subject) -> bool {
        self.only.is_none_or(|only| only == subject)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let mut supervisor = Supervisor::default();
    let ended = measure(&arguments, &mut supervisor).await;
    if ended.is_err() {
        supervisor.print_logs();
    }
    supervisor.stop().await;
    match ended {
        Ok(results) => match results.write(&arguments.options.source.join("bench/results")) {
            Ok(path) => {
                println!("\nwritten to {}", path.display());
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error.to_string()),
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("bench: {error}");
    ExitCode::FAILURE
}

async fn measure(arguments: &Arguments, supervisor: &mut Supervisor) -> Result<Results, String> {
    let options = &arguments.options;
    let parts = Parts::start(options, supervisor).await.map_err(text)?;
    let mut results = Results::new(arguments.only.map(|only| format!("{only:?}").to_lowercase()));
    if arguments.only.is_none() {
        let process = supervisor.process_id("tenantry").ok_or("tenantry has ended")?;
        results.footprint = Some(footprint::measure(options, process, parts.start_to_ready)?);
    }
    if arguments.wants(Subject::P2) {
        for together in [1, 10] {
            let compared = provisioning::compare(options, &parts, together, arguments.pairs.max(1)).await?;
            results.provisioning.push(compared);
        }
    }
    if arguments.wants(Subject::P1) {
        measure_intake(options, supervisor, &parts, &mut results).await?;
    }
    Ok(results)
}

/// Without the workers, which would spend the machine on looking up events that nobody sent.
async fn measure_intake(
    options: &Options,
    supervisor: &mut Supervisor,
    parts: &Parts,
    results: &mut Results,
) -> Result<(), String> {
    supervisor.stop_one("tenantry").await;
    let port = free_port(0).map_err(text)?;
    let mut environment = parts.environment.clone();
    environment.insert("TENANTRY_LISTEN".into(), format!("127.0.0.1:{port}"));
    environment.insert("STRIPE_WEBHOOK_SECRETS".into(), WEBHOOK_SECRET.into());
    let mut serve = tenantry(options, &environment);
    serve.args(["serve", "--role", "http"]);
    supervisor
        .start("intake", serve, &options.state.join("log/intake.log"))
        .map_err(text)?;
    until_answers("tenantry", &format!("http://127.0.0.1:{port}/ready"), START)
        .await
        .map_err(text)?;
    let owner = parts
        .environment
        .get("DATABASE_MIGRATION_URL")
        .ok_or("no owner's database URL")?;
    results.database = Some(results::DatabaseSettings::read(owner).await?);
    let address = ([127, 0, 0, 1], port).into();
    // In turn, so that a machine that slows down slows both.
    for _ in 0..2 {
        results.inserts.push(intake::insert_rows(owner, INTAKE_SPAN).await?);
        results
            .intake
            .push(intake::send_events(address, WEBHOOK_SECRET, API_VERSION, INTAKE_SPAN).await?);
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "called by map_err")]
fn text(error: DemoError) -> String {
    error.to_string()
}
