//! Brings a database to the schema of this build: roles, migrations, grants. Run by the owner, who need not be a
//! superuser.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, migrate::Migrator};
use uuid::Uuid;

use crate::{
    error::DatabaseError,
    roles::{self, APP_ROLE, RoleError, SYSTEM_ROLE},
};

static MIGRATOR: Migrator = sqlx::migrate!();

/// Any number, but always this one: two migrations of one database wait for each other.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// Who waits for a table has everybody else wait behind them, readers too: a migration gives up before anybody notices.
const LOCK_TIMEOUT: &str = "10s";

/// As `server_version_num` counts: 15.0.
const OLDEST_SERVER: i32 = 150_000;

/// The log-ins that a migration needs: the owner's to do it, the others' to make their roles.
#[derive(Debug, Clone)]
pub struct MigrateConfig {
    /// The owner of the database, over a direct connection.
    pub owner_url: SecretString,
    /// As the server will log in for customers.
    pub app_url: SecretString,
    /// As the server will log in for everything else.
    pub system_url: SecretString,
}

/// What a migration did, a line each; nothing when everything was as it should be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct MigrateReport {
    /// For people.
    pub changes: Vec<String>,
}

/// Why a database could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A role is missing, too powerful or cannot log in.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// PostgreSQL before 15 has neither `security_invoker` nor `nulls not distinct`.
    #[error("PostgreSQL {found} is too old: Tenantry needs 15 or newer")]
    OldServer {
        /// The server's version.
        found: String,
    },
    /// A migration that was applied is not part of this build: the database is newer than the program.
    #[error("the database has migration {version}, which this build does not know: use the newer release that made it")]
    NewerDatabase {
        /// The unknown migration.
        version: i64,
    },
    /// An applied migration has another content in this build.
    #[error(
        "migration {version} was applied with another content than it has in this build: one of the two was edited after release"
    )]
    Edited {
        /// The migration.
        version: i64,
    },
    /// A migration waited too long for a table that somebody uses; it was rolled back.
    #[error(
        "migration {version} waited for {patience} for a table that others use, and was rolled back so that nobody waits \
         for it: migrate again, at a quieter time if this happens often",
        patience = LOCK_TIMEOUT
    )]
    Busy {
        /// The migration.
        version: i64,
    },
    /// A migration's statement failed; it was rolled back.
    #[error("migration {version} failed and was rolled back: {source}")]
    Failed {
        /// The migration.
        version: i64,
        /// What PostgreSQL said.
        source: DatabaseError,
    },
    /// PostgreSQL answered with an error outside of a migration.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as Sqlx;
        match error {
            Sqlx::VersionMissing(version) => Self::NewerDatabase { version },
            Sqlx::VersionMismatch(version) => Self::Edited { version },
            Sqlx::ExecuteMigration(source, version) if waited_for_a_lock(&source) => Self::Busy { version },
            Sqlx::ExecuteMigration(source, version) => Self::Failed {
                version,
                source: source.into(),
            },
            Sqlx::Execute(source) => Self::Database(source.into()),
            other => Self::Database(DatabaseError::Unexpected(sqlx::Error::Migrate(Box::new(other)))),
        }
    }
}

fn waited_for_a_lock(error: &sqlx::Error) -> bool {
    // "Lock not available", appendix A of PostgreSQL's manual.
    error
        .as_database_error()
        .is_some_and(|refusal| refusal.code().as_deref() == Some("55P03"))
}

/// Makes roles and schema what this build needs. Safe to run twice and at the same time as another.
///
/// # Errors
/// See [`MigrateError`]; what was applied before stays, and running again goes on from there.
pub async fn migrate(config: &MigrateConfig) -> Result<MigrateReport, MigrateError> {
    let mut owner = PgConnection::connect(config.owner_url.expose_secret()).await?;
    let mut report = MigrateReport::default();

    refuse_old(&mut owner).await?;
    // Held until the connection closes, also when this process dies.
    sqlx::query("select pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut owner)
        .await?;

    for (role, url) in [(APP_ROLE, &config.app_url), (SYSTEM_ROLE, &config.system_url)] {
        report.changes.extend(roles::ensure(&mut owner, role, url).await?);
    }
    let before = applied(&mut owner).await?;
    // Not before: another migration may take its time.
    sqlx::query("select set_config('lock_timeout', $1, false)")
        .bind(LOCK_TIMEOUT)
        .execute(&mut owner)
        .await?;
    MIGRATOR.run(&mut owner).await?;
    for migration in MIGRATOR.iter().filter(|known| !before.contains_key(&known.version)) {
        report.changes.push(format!(
            "applied migration {:04} {}",
            migration.version, migration.description
        ));
    }
    grant(&mut owner).await?;
    if found_installation(&mut owner).await? {
        report.changes.push("gave this installation its identifier".to_owned());
    }
    owner.close().await?;
    Ok(report)
}

async fn refuse_old(owner: &mut PgConnection) -> Result<(), MigrateError> {
    let (number, found): (i32, String) =
        sqlx::query_as("select current_setting('server_version_num')::int4, current_setting('server_version')")
            .fetch_one(owner)
            .await?;
    if number < OLDEST_SERVER {
        return Err(MigrateError::OldServer { found });
    }
    Ok(())
}

/// Lets the two roles in and everybody else out. Grants on tables are made by the migrations, through `isolate`.
async fn grant(owner: &mut PgConnection) -> Result<(), MigrateError> {
    let database: String = sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(&mut *owner)
        .await?;
    let statement = format!(
        "revoke all on database {database} from public;
         revoke create on schema public from public;
         grant connect on database {database} to {APP_ROLE}, {SYSTEM_ROLE};
         grant usage on schema public to {APP_ROLE}, {SYSTEM_ROLE};"
    );
    owner.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    Ok(())
}

/// Gives a new database its identifier; says whether it had none.
async fn found_installation(owner: &mut PgConnection) -> Result<bool, MigrateError> {
    let made = sqlx::query("insert into installation (id) values ($1) on conflict do nothing")
        .bind(Uuid::now_v7())
        .execute(owner)
        .await?;
    Ok(made.rows_affected() == 1)
}

/// One migration, as this build knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMigration {
    /// Its number.
    pub version: i64,
    /// Its file name without the number.
    pub description: String,
    /// When it was applied to the database.
    pub applied_at: Option<DateTime<Utc>>,
}

/// How far a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Every migration of this build, in order.
    pub known: Vec<KnownMigration>,
    /// Applied migrations that this build does not know.
    pub unknown: Vec<i64>,
    /// Applied migrations whose content is not this build's.
    pub edited: Vec<i64>,
}

impl MigrationStatus {
    /// The migrations that `migrate` would apply.
    pub fn pending(&self) -> impl Iterator<Item = &KnownMigration> {
        self.known.iter().filter(|migration| migration.applied_at.is_none())
    }

    /// Whether the database has exactly the schema of this build.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.pending().next().is_none() && self.unknown.is_empty() && self.edited.is_empty()
    }
}

/// Compares a database with this build. Any role that may read the list of migrations can ask.
///
/// # Errors
/// PostgreSQL cannot be asked.
pub async fn status(connection: &mut PgConnection) -> Result<MigrationStatus, DatabaseError> {
    let mut applied = applied(connection).await?;
    let mut edited = Vec::new();
    let known = MIGRATOR
        .iter()
        .map(|migration| {
            let found = applied.remove(&migration.version);
            if found
                .as_ref()
                .is_some_and(|found| found.checksum != *migration.checksum)
            {
                edited.push(migration.version);
            }
            KnownMigration {
                version: migration.version,
                description: migration.description.to_string(),
                applied_at: found.map(|found| found.installed_on),
            }
        })
        .collect();
    let mut unknown: Vec<i64> = applied.into_keys().collect();
    unknown.sort_unstable();
    Ok(MigrationStatus { known, unknown, edited })
}

#[derive(sqlx::FromRow)]
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    installed_on: DateTime<Utc>,
}

/// The applied migrations by number; none in an empty database.
async fn applied(connection: &mut PgConnection) -> Result<HashMap<i64, Applied>, DatabaseError> {
    let started: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    if !started {
        return Ok(HashMap::new());
    }
    let rows: Vec<Applied> =
        sqlx::query_as("select version, checksum, installed_on from _sqlx_migrations where success")
            .persistent(false)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.version, row)).collect())
}
