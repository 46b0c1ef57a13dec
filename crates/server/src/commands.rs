//! One file a command.

mod audit;
mod catalog;
mod confirm;
mod doctor;
mod keys;
mod mail;
mod master_key;
mod migrate;
mod openapi;
mod operator;
mod serve;
mod tenant;
mod user;

use std::{future::Future, path::Path};

use crate::{
    cli::{CatalogCommand, Cli, Command},
    config::{self, Configuration},
    exit::{Failure, FailureKind},
    telemetry,
    wiring::Wired,
};

/// Runs what the command line says.
pub fn run(cli: Cli) -> Result<(), Failure> {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = cli.config.as_deref();
    match cli.command {
        Command::Openapi => openapi::run(),
        Command::Mail(command) => mail::run(&command),
        Command::Catalog(CatalogCommand::Schema) => catalog::schema(),
        Command::Serve(arguments) => serve::run(configuration(file)?, arguments),
        Command::Migrate(output) => block_on(migrate::run(&configuration(file)?, output.output)),
        Command::Doctor(output) => block_on(doctor::run(&configuration(file)?, output.output)),
        Command::Catalog(CatalogCommand::Plan { file: catalog, output }) => {
            with_app(file, async |wired, configuration| {
                catalog::plan(&wired, &configuration, &catalog, output.output).await
            })
        }
        Command::Catalog(CatalogCommand::Apply { file: catalog, output }) => {
            with_app(file, async |wired, configuration| {
                catalog::apply(&wired, &configuration, &catalog, output.output).await
            })
        }
        Command::Catalog(CatalogCommand::ClientSecret { product, output }) => with_app(file, async |wired, _| {
            catalog::client_secret(&wired, &product, output.output).await
        }),
        Command::Keys(command) => with_app(file, async |wired, _| keys::run(&wired, command).await),
        Command::MasterKey(command) => with_app(file, async |wired, _| master_key::run(&wired, command).await),
        Command::Audit(command) => with_app(file, async |wired, configuration| {
            audit::run(&wired.app, &configuration, command).await
        }),
        Command::Operator(command) => with_app(file, async |wired, _| operator::run(&wired, command).await),
        Command::User(command) => with_app(file, async |wired, _| user::run(&wired.app, command).await),
        Command::Tenant(command) => with_app(file, async |wired, _| tenant::run(&wired, command).await),
    }
}

fn configuration(file: Option<&Path>) -> Result<Configuration, Failure> {
    config::load(file).map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// For commands that use the application: configuration, connections, then the command.
fn with_app(
    file: Option<&Path>,
    command: impl AsyncFnOnce(Wired, Configuration) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let configuration = configuration(file)?;
    telemetry::install_for_a_terminal();
    block_on(async {
        let wired = Wired::connect(&configuration).await?;
        command(wired, configuration).await
    })
}

fn block_on(future: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::Failed, error))?
        .block_on(future)
}
