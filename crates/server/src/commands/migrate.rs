//! `tenantry migrate`.

use serde_json::json;
use tenantry_postgres::migrate::{MigrateConfig, MigrateError, migrate};

use crate::{
    cli::Output,
    config::Configuration,
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
};

/// Makes roles, tables and policies what this build needs, and says what it changed.
pub async fn run(configuration: &Configuration, output: Output) -> Result<(), Failure> {
    let Some(owner_url) = configuration.database_migration_url.clone() else {
        return Err(Failure::new(
            FailureKind::Usage,
            "DATABASE_MIGRATION_URL is not set: the owner of the schema, who may create roles \
             (postgres://owner:password@host/database)",
        ));
    };
    let report = migrate(&MigrateConfig {
        owner_url,
        app_url: configuration.database_url.clone(),
        system_url: configuration.database_system_url.clone(),
    })
    .await
    .map_err(|error| Failure::new(kind(&error), error))?;
    match output {
        Output::Json => print_json(&json!({"changes": report.changes})),
        Output::Text if report.changes.is_empty() => print_line("the database is up to date"),
        Output::Text => report.changes.iter().try_for_each(|change| print_line(change)),
    }
}

fn kind(error: &MigrateError) -> FailureKind {
    match error {
        MigrateError::Database(_) | MigrateError::Busy { .. } => FailureKind::Unavailable,
        MigrateError::NewerDatabase { .. } | MigrateError::Edited { .. } => FailureKind::Refused,
        _ => FailureKind::Failed,
    }
}
