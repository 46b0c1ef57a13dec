//! `tenantry catalog …`.

use std::path::Path;

use serde_json::json;
use tenantry_app::billing::catalog::{self, CatalogError, CatalogPlan, Webhook};
use tenantry_domain::billing::catalog::schema as catalog_schema;

use super::operator::ACTOR;
use crate::{
    cli::Output,
    config::Configuration,
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
    wiring::Wired,
};

/// Prints the JSON Schema of the catalog file.
pub fn schema() -> Result<(), Failure> {
    print_json(catalog_schema())
}

/// Prints what `apply` would change.
pub async fn plan(wired: &Wired, configuration: &Configuration, file: &Path, output: Output) -> Result<(), Failure> {
    let document = read(file)?;
    let plan = catalog::plan(&wired.app, &document, webhook(configuration))
        .await
        .map_err(|error| failure(file, error))?;
    report(&plan, output, "would change", "nothing would change")
}

/// Makes the database and Stripe agree with the file.
pub async fn apply(wired: &Wired, configuration: &Configuration, file: &Path, output: Output) -> Result<(), Failure> {
    let document = read(file)?;
    let applied = catalog::apply(&wired.app, &document, webhook(configuration), ACTOR)
        .await
        .map_err(|error| failure(file, error))?;
    report(&applied, output, "changed", "nothing to change")
}

/// Where events are asked for, nobody needs to send them.
fn webhook(configuration: &Configuration) -> Webhook {
    if configuration.stripe_poll_events {
        Webhook::LeaveAlone
    } else {
        Webhook::Here
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            FailureKind::Usage,
            format!("{} cannot be read: {error}", file.display()),
        )
    })
}

fn report(plan: &CatalogPlan, output: Output, heading: &str, nothing: &str) -> Result<(), Failure> {
    let lines: Vec<String> = plan
        .changes
        .iter()
        .map(|change| format!("{} {change}", change.sign()))
        .collect();
    if output == Output::Json {
        return print_json(&json!({"changes": lines}));
    }
    if lines.is_empty() {
        return print_line(nothing);
    }
    print_line(&format!("{heading}:"))?;
    lines.iter().try_for_each(|line| print_line(&format!("  {line}")))
}

fn failure(file: &Path, error: CatalogError) -> Failure {
    match &error {
        CatalogError::Problems(problems) => Failure::new(
            FailureKind::Usage,
            format!("{} is not a catalog:\n{problems}", file.display()),
        ),
        CatalogError::Refused(_) | CatalogError::UnderWay => Failure::new(FailureKind::Refused, error),
        CatalogError::Payment(_) => Failure::new(
            FailureKind::Unavailable,
            format!("{error}; what was done stays done, and applying again goes on from there"),
        ),
        CatalogError::Fault(_) => Failure::new(FailureKind::Unavailable, error),
    }
}
