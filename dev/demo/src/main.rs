//! The demonstration: starts every part of Tenantry on this machine, plays a first customer, and shows a payment
//! become a running tenant.
//!
//! `dev/demo/run` builds everything and starts this. It never reads `DATABASE_URL`, `KUBECONFIG` or
//! `STRIPE_SECRET_KEY`: whoever wants another database, cluster, Stripe account or mail server says so by `DEMO_…`.

// A program for a terminal.
#![allow(clippy::print_stdout)]

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use tenantry_demo::{
    customer::{Customer, Person},
    error::DemoError,
    options::Options,
    parts::Parts,
    report::{say, table},
    supervisor::Supervisor,
    timeline::Timeline,
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// As shells say of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = match Options::parse().checked() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("demo: {error}");
            return ExitCode::from(2);
        }
    };
    let mut supervisor = Supervisor::default();
    let mut is_cut_short = false;
    let ended = tokio::select! {
        ended = play(&options, &mut supervisor) => ended,
        () = interrupted() => {
            // Whoever looks at a running demonstration ends it so; a run that was to come to an end did not.
            is_cut_short = options.once || !options.command.is_empty();
            Ok(())
        }
    };
    let failed = ended.err();
    if let Some(error) = &failed {
        eprintln!("\ndemo: {error}");
        supervisor.print_logs();
    }
    say("stopping every part");
    supervisor.stop().await;
    match failed {
        Some(_) => ExitCode::FAILURE,
        None if is_cut_short => ExitCode::from(INTERRUPTED),
        None => ExitCode::SUCCESS,
    }
}

/// Everything up to Ctrl-C, or up to the tenant's answer with `--once`.
async fn play(options: &Options, supervisor: &mut Supervisor) -> Result<(), DemoError> {
    let begun = Instant::now();
    let parts = Parts::start(options, supervisor).await?;
    say(&format!(
        "every part answers after {:.1} s",
        begun.elapsed().as_secs_f64()
    ));

    if let Some((program, arguments)) = options.command.split_first() {
        return run(options, &parts, program, arguments).await;
    }
    let mut customer = Customer::new(&parts, Person::first(&parts))?;
    customer.signs_up(options.once).await?;
    let checkout = customer.begins_checkout().await?;
    let patience = customer.pays(&checkout).await?;
    let operation = customer.until_paid(&checkout, patience).await?;
    say("the payment is confirmed; the tenant is being provisioned");
    Timeline::default().follow(customer.watches(&operation).await?).await?;
    let tenant = customer.tenant(&checkout).await?;
    customer.opens(&tenant).await?;
    say(&format!("{} answers from its own pod", tenant.url));
    say(&format!(
        "from the command to a site answering: {:.1} s",
        begun.elapsed().as_secs_f64()
    ));
    table(&parts, &tenant);
    if options.once {
        return Ok(());
    }
    println!("\nCtrl-C stops everything and leaves nothing behind.");
    supervisor.until_one_ends().await
}

/// Runs a program against the parts; its success is ours. It may use `tenantry`'s command line and the ledger, too.
async fn run(options: &Options, parts: &Parts, program: &str, arguments: &[String]) -> Result<(), DemoError> {
    let status = Command::new(program)
        .args(arguments)
        .envs(&parts.environment)
        .env("TENANTRY_PROGRAM", options.programs.join("tenantry"))
        .env("TENANTRY_URL", parts.public_url.as_str().trim_end_matches('/'))
        .env("MAILPIT_URL", parts.inbox_url.as_deref().unwrap_or_default())
        .env("STRIPE_URL", &parts.stripe_url)
        .env("OPERATOR_EMAIL", &parts.operator_email)
        .env("OPERATOR_PASSWORD", &parts.operator_password)
        .env(
            "OPERATOR_TOTP_SECRET",
            parts.operator_app.as_ref().map_or("", |app| app.secret.as_str()),
        )
        .env("CLUSTER_KUBECONFIG", &parts.kubeconfig)
        .env("INGRESS_ADDRESS", &parts.ingress_address)
        .status()
        .await?;
    if status.success() {
        Ok(())
    } else {
        Err(DemoError::Command {
            program: program.to_owned(),
            status,
        })
    }
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
