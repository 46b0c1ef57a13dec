//! Roles, policies, migrations, master keys.

use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use tenantry_app::sealing::MasterKeys;
use tenantry_postgres::{Database, migrate};

use super::Finding;
use crate::{config::Configuration, wiring};

const AREA: &str = "database";

pub(super) async fn check(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = vec![owner(configuration).await, keys(configuration)];
    match wiring::database(configuration).await {
        Ok(database) => {
            findings.push(Finding::ok(AREA, "log-ins", "tenantry_app and tenantry_system connect"));
            findings.extend(isolation(&database).await);
            findings.push(migrations(&database).await);
        }
        Err(failure) => findings.push(Finding::wrong(
            AREA,
            "log-ins",
            failure,
            "check DATABASE_URL and DATABASE_SYSTEM_URL; `tenantry migrate` makes the two roles with the passwords given there",
        )),
    }
    findings
}

/// Only migrations need the owner; a server may do without.
async fn owner(configuration: &Configuration) -> Finding {
    let Some(url) = &configuration.database_migration_url else {
        let mend = "set DATABASE_MIGRATION_URL where `tenantry migrate` runs; the server does not need it";
        return Finding::warning(AREA, "owner", "no DATABASE_MIGRATION_URL here", mend);
    };
    match PgConnection::connect(url.expose_secret()).await {
        Ok(_) => Finding::ok(AREA, "owner", "connects"),
        Err(error) => Finding::wrong(
            AREA,
            "owner",
            error,
            "check DATABASE_MIGRATION_URL: address, password, database name",
        ),
    }
}

fn keys(configuration: &Configuration) -> Finding {
    match MasterKeys::from_file(&configuration.master_key_file) {
        Ok(keys) => Finding::ok(AREA, "master keys", format!("{keys:?}")),
        Err(error) => Finding::wrong(
            AREA,
            "master keys",
            error,
            "write one line, `k1 $(head -c 32 /dev/urandom | base64)`, to the file that TENANTRY_MASTER_KEY_FILE names, \
             and keep a copy: without it no sealed secret opens",
        ),
    }
}

async fn isolation(database: &Database) -> Vec<Finding> {
    match database.open_doors().await {
        Ok(doors) if doors.is_empty() => {
            vec![Finding::ok(
                AREA,
                "isolation",
                "row-level security is on, forced and complete",
            )]
        }
        Ok(doors) => doors
            .into_iter()
            .map(|door| {
                let mend = "close it as its line says; `tenantry migrate` puts back what it made itself";
                Finding::wrong(AREA, "isolation", door, mend)
            })
            .collect(),
        Err(error) => vec![Finding::wrong(AREA, "isolation", error, "run `tenantry migrate`")],
    }
}

async fn migrations(database: &Database) -> Finding {
    let status = async {
        let mut connection = database.direct().acquire().await?;
        migrate::status(&mut connection).await
    };
    match status.await {
        Ok(status) if status.is_current() => {
            Finding::ok(AREA, "migrations", format!("all {} are applied", status.known.len()))
        }
        Ok(status) => {
            let pending = status.pending().count();
            Finding::wrong(
                AREA,
                "migrations",
                format!("{pending} are not applied"),
                "run `tenantry migrate`",
            )
        }
        Err(error) => Finding::wrong(AREA, "migrations", error, "run `tenantry migrate`"),
    }
}
