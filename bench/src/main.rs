//! Measures what targets are set for, each beside a baseline taken in the same run, and writes the figures down.
//!
//! `bench/run` builds everything for release and starts this.

#![allow(clippy::print_stdout)]

mod bars;
mod connection;
mod database_watch;
mod footprint;
mod hashing;
mod intake;
mod latency;
mod load;
mod page;
mod people;
mod plain_refresh;
mod processor;
mod provisioning;
mod results;
mod script;
mod sign_in;
mod usage;

use std::{collections::HashMap, fs, net::SocketAddr, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use sqlx::{Connection as _, PgConnection};
use tenantry_demo::{
    options::Options,
    parts::{Parts, control_plane::tenantry, free_port, until_answers},
    supervisor::Supervisor,
};

use crate::{
    database_watch::DatabaseWatch,
    results::Results,
    sign_in::{People, setting},
};

/// The server that only answers requests.
const FRONT: &str = "tenantry, requests only";
/// The same behind a watch on its database.
const WATCHED: &str = "tenantry, watched";
const START: Duration = Duration::from_secs(20);
/// Only in this run, only on loopback.
const WEBHOOK_SECRET: &str = "whsec_bench";
const API_VERSION: &str = "2026-08-26.dahlia";

/// The port is the one for discarding things.
const NO_CLUSTER: &str = "apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: 'http://127.0.0.1:9'}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
";

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
    /// How long each run of a load takes.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
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
    /// Token refresh, and signing in.
    P4,
}

impl Arguments {
    fn wants(&self, subject: Subject) -> bool {
        self.only.is_none_or(|only| only == subject)
    }

    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }

    /// What needs no cluster is not made to wait for one: the server is then told of one where nobody answers.
    fn without_cluster(mut self) -> Result<Self, String> {
        if !self.wants(Subject::P2) && self.options.kubeconfig.is_none() {
            let path = self.options.state.with_extension("kubeconfig");
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).map_err(text)?;
            }
            fs::write(&path, NO_CLUSTER).map_err(text)?;
            self.options.kubeconfig = Some(path);
        }
        Ok(self)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::parse().without_cluster() {
        Ok(arguments) => arguments,
        Err(error) => return fail(&error),
    };
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
    let mut results = Results::new(arguments.only.map(|only| format!("{only:?}").to_lowercase()))?;
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
    if arguments.wants(Subject::P1) || arguments.wants(Subject::P4) {
        measure_requests(arguments, supervisor, &parts, &mut results).await?;
    }
    Ok(results)
}

/// Without the workers, which would spend the machine on looking up events that nobody sent.
async fn measure_requests(
    arguments: &Arguments,
    supervisor: &mut Supervisor,
    parts: &Parts,
    results: &mut Results,
) -> Result<(), String> {
    let people = if arguments.wants(Subject::P4) {
        Some(People::sign_up(parts).await?)
    } else {
        None
    };
    supervisor.stop_one("tenantry").await;
    let (options, environment) = (&arguments.options, &parts.environment);
    let address = serve_requests(FRONT, options, supervisor, environment.clone()).await?;
    let owner = setting(parts, "DATABASE_MIGRATION_URL")?;
    results.database = Some(results::DatabaseSettings::read(&owner).await?);
    if let Some(people) = people {
        vacuum(&owner).await?;
        let watch = DatabaseWatch::before(&owner).await?;
        let mut watched = environment.clone();
        for name in ["DATABASE_URL", "DATABASE_SYSTEM_URL"] {
            watched.insert(name.into(), watch.url(&setting(parts, name)?)?);
        }
        // What has no URL of its own takes the system's.
        if let Some(direct) = environment.get("DATABASE_DIRECT_URL") {
            watched.insert("DATABASE_DIRECT_URL".into(), watch.url(direct)?);
        }
        let through = serve_requests(WATCHED, options, supervisor, watched).await?;
        let measured = people.measure(address, (through, &watch), arguments.span()).await?;
        results.sign_in = Some(measured);
        supervisor.stop_one(WATCHED).await;
    }
    if arguments.wants(Subject::P1) {
        vacuum(&owner).await?;
        // In turn, so that a machine that slows down slows both.
        for _ in 0..2 {
            results
                .inserts
                .push(intake::insert_rows(&owner, arguments.span()).await?);
            let events = intake::send_events(address, WEBHOOK_SECRET, API_VERSION, arguments.span());
            results.intake.push(events.await?);
        }
    }
    Ok(())
}

/// Starts a server that only answers requests, and returns where.
async fn serve_requests(
    name: &'static str,
    options: &Options,
    supervisor: &mut Supervisor,
    mut environment: HashMap<String, String>,
) -> Result<SocketAddr, String> {
    let port = free_port(0).map_err(text)?;
    environment.insert("TENANTRY_LISTEN".into(), format!("127.0.0.1:{port}"));
    environment.insert("STRIPE_WEBHOOK_SECRETS".into(), WEBHOOK_SECRET.into());
    let mut serve = tenantry(options, &environment);
    serve.args(["serve", "--role", "http"]);
    let log = options.state.join(format!("log/{port}.log"));
    supervisor.start(name, serve, &log).map_err(text)?;
    until_answers(name, &format!("http://127.0.0.1:{port}/ready"), START)
        .await
        .map_err(text)?;
    Ok(([127, 0, 0, 1], port).into())
}

/// What an earlier subject left behind is not tidied up in the middle of the next.
async fn vacuum(owner: &str) -> Result<(), String> {
    let mut connection = PgConnection::connect(owner).await.map_err(text)?;
    let vacuumed = sqlx::raw_sql("vacuum (analyze)").execute(&mut connection).await;
    vacuumed.map(drop).map_err(text)
}

/// An error as it is told: to `map_err`, which passes it by value.
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
