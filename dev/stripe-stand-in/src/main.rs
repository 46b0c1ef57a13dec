//! The Stripe stand-in: answers in Stripe's place while Tenantry is developed and tested. It is not Stripe.
#![recursion_limit = "512"] // Stripe's objects have many fields, and `json!` recurses over them.

mod account;
mod agenda;
mod api;
mod billing_cycle;
mod cards;
mod charges;
mod checkout_payment;
mod checkout_sessions;
mod clock;
mod connections;
mod control;
mod customers;
mod deliverer;
mod errors;
mod events;
mod expand;
mod faults;
mod form;
mod hosted_page;
mod idempotency;
mod ids;
mod invoice_page;
mod invoice_payments;
mod invoices;
mod lists;
mod outbox;
mod page;
mod params;
mod payment_intents;
mod payment_methods;
mod prices;
mod products;
mod refunds;
mod routes;
mod server;
mod settlements;
mod signature;
mod snapshot;
mod state;
mod store;
mod subscription_items;
mod subscriptions;
mod webhook_endpoints;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;

use crate::connections::{CuttableListener, Cutter};
use crate::server::App;
use crate::state::{Shared, State};

/// How late something may happen whose time comes by itself.
const AGENDA_EVERY: Duration = Duration::from_millis(250);

/// Stands in for Stripe while Tenantry is developed and tested. It is not Stripe and moves no money.
///
/// It serves the part of Stripe's API that Tenantry uses (version 2026-08-26.dahlia), keeps state, shows a hosted payment
/// page that knows Stripe's test cards, and delivers signed webhooks. Under /_control it can be disturbed on purpose:
/// a clock that moves, deliveries that are lost, late, doubled or shuffled, requests that fail. README.md has each.
#[derive(Parser)]
#[command(name = "stripe-stand-in", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until interrupted. Prints one line with the address when ready.
    Serve(Serve),
}

/// Shown under the options of `serve`.
const EXAMPLES: &str = "\
Examples:
  stripe-stand-in serve
  stripe-stand-in serve --listen 127.0.0.1:0 --port-file /tmp/port --state /tmp/stripe.json

Then, with any client of Stripe's and any key sk_test_…:
  curl http://127.0.0.1:12111/v1/products -u sk_test_any: -d name=Collection
  curl http://127.0.0.1:12111/_control/clock/advance --json '{\"seconds\": 86400}'";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Serve {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// Write the port here when ready, for scripts that let the program choose it.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// How browsers reach this program, for the addresses of payment pages; by default the address it listens on.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The only API key to accept; by default any key that begins with sk_test_ or rk_test_.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Keep the state in this file, so that it survives a restart; by default it is forgotten.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Why the program could not start or go on.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot write the port file {path}: {source}")]
    PortFile { path: PathBuf, source: std::io::Error },
    #[error("a live key was given; the Stripe stand-in takes test keys (sk_test_…) only")]
    LiveKey,
    #[error(transparent)]
    Snapshot(#[from] snapshot::SnapshotError),
    #[error("the sender of webhooks cannot start: {0}")]
    Deliverer(#[from] reqwest::Error),
    #[error("the server failed: {0}")]
    Server(#[from] std::io::Error),
}

fn main() -> ExitCode {
    let Command::Serve(options) = Cli::parse().command;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(serve(options)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Serve) -> Result<(), Failure> {
    if options.api_key.as_ref().is_some_and(|key| key.contains("_live_")) {
        return Err(Failure::LiveKey);
    }
    // A second provider in one process is the only refusal, and there is just this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut state = match &options.state {
        Some(path) => snapshot::load(path)?,
        None => State::default(),
    };
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|source| Failure::Listen {
            address: options.listen,
            source,
        })?;
    let address = listener.local_addr()?;
    let url = options.public_url.unwrap_or_else(|| format!("http://{address}"));
    state.public_url = url.trim_end_matches('/').to_owned();
    let shared = Shared::new(state);

    let deliverer = tokio::spawn(deliverer::run(shared.clone()));
    let agenda = tokio::spawn(run_agenda(shared.clone()));
    let keeper = options
        .state
        .clone()
        .map(|path| tokio::spawn(snapshot::keep(shared.clone(), path)));

    if let Some(path) = options.port_file {
        std::fs::write(&path, address.port().to_string()).map_err(|source| Failure::PortFile { path, source })?;
    }
    announce(&address)?;
    let app = server::router(App {
        shared: shared.clone(),
        api_key: options.api_key,
    });
    let service = app.into_make_service_with_connect_info::<Cutter>();
    tokio::select! {
        served = async { axum::serve(CuttableListener(listener), service).await } => served?,
        ended = deliverer => if let Ok(result) = ended { result? },
        () = interrupted() => {}
    }
    agenda.abort();
    if let Some(keeper) = keeper {
        keeper.abort();
    }
    if let Some(path) = options.state {
        snapshot::save(&shared, &path)?;
    }
    Ok(())
}

/// The one line on standard output: scripts wait for it.
fn announce(address: &SocketAddr) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "stripe-stand-in listening on http://{address}")?;
    output.flush()
}

async fn run_agenda(shared: Shared) {
    loop {
        tokio::time::sleep(AGENDA_EVERY).await;
        let done = agenda::run_due(&mut shared.lock());
        if done > 0 {
            shared.deliveries.notify_one();
        }
    }
}

/// Ctrl-C, or the signal by which supervisors end programs.
async fn interrupted() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "the terminate signal is not caught");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
