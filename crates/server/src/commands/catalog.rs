//! `tenantry catalog …`.

use std::path::Path;

use serde_json::{Value, json};
use tenantry_app::{
    accounts::{ClientSecret, renew_client_secret},
    billing::catalog::{self, CatalogError, CatalogPlan, Webhook},
};
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
    match catalog::apply(&wired.app, &document, webhook(configuration), ACTOR).await {
        Ok(applied) => report(&applied, output, "changed", "nothing to change"),
        Err(stopped) => {
            report_secrets(&stopped.client_secrets, output)?;
            Err(failure(file, stopped.error))
        }
    }
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
        let secrets = secrets_json(&plan.client_secrets);
        return print_json(&json!({"changes": lines, "client_secrets": secrets}));
    }
    if lines.is_empty() {
        return print_line(nothing);
    }
    print_line(&format!("{heading}:"))?;
    lines.iter().try_for_each(|line| print_line(&format!("  {line}")))?;
    plan.client_secrets.iter().try_for_each(print_secret)
}

/// What nobody can be shown later, of an application that stopped.
fn report_secrets(secrets: &[ClientSecret], output: Output) -> Result<(), Failure> {
    if output == Output::Json && !secrets.is_empty() {
        return print_json(&json!({"client_secrets": secrets_json(secrets)}));
    }
    secrets.iter().try_for_each(print_secret)
}

fn secrets_json(secrets: &[ClientSecret]) -> Vec<Value> {
    secrets.iter().map(secret_json).collect()
}

fn secret_json(made: &ClientSecret) -> Value {
    json!({"client_id": made.client_id, "client_secret": made.secret.encode().as_str()})
}

/// Makes another secret for the client of a product.
pub async fn client_secret(wired: &Wired, product: &str, output: Output) -> Result<(), Failure> {
    let made = renew_client_secret(&wired.app, product, ACTOR)
        .await
        .map_err(|error| Failure::new(FailureKind::Unavailable, error))?
        .ok_or_else(|| {
            Failure::new(
                FailureKind::NotFound,
                format!("no product `{product}` has `sign_in` with `client: confidential`; `catalog apply` makes such clients"),
            )
        })?;
    match output {
        Output::Json => print_json(&secret_json(&made)),
        Output::Text => print_secret(&made),
    }
}

fn print_secret(made: &ClientSecret) -> Result<(), Failure> {
    print_line(&format!(
        "client `{}` signs people in with this secret, which is shown only now:\n  {}",
        made.client_id,
        made.secret.encode().as_str()
    ))
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
