//! Measures what targets are set for, each beside a baseline taken in the same run, and writes the figures down.
//!
//! `bench/run` builds everything for release and starts this.

#![allow(clippy::print_stdout)]

mod connection;
mod footprint;
mod intake;
mod latency;
mod processor;
mod provisioning;
mod results;
mod script;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use tenantry_demo::{
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

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options::parse();
    let mut supervisor = Supervisor::default();
    let ended = measure(&options, &mut supervisor).await;
    if ended.is_err() {
        supervisor.print_logs();
    }
    supervisor.stop().await;
    match ended {
        Ok(results) => match results.write(&options.source.join("bench/results")) {
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

async fn measure(options: &Options, supervisor: &mut Supervisor) -> Result<Results, String> {
    let text = |error: tenantry_demo::error::DemoError| error.to_string();
    let parts = Parts::start(options, supervisor).await.map_err(text)?;
    let mut results = Results::new();

    let process = supervisor.process_id("tenantry").ok_or("tenantry has ended")?;
    results.footprint = Some(footprint::measure(options, process, parts.start_to_ready)?);

    for together in [1, 10] {
        let ours = provisioning::measure(&parts, together).await?;
        let script = script::measure(&parts, &ours, together).await?;
        results.provisioning.push(provisioning::Comparison { ours, script });
    }

    // Intake is measured without the workers, which would spend the machine on looking up events that nobody sent.
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
    Ok(results)
}
