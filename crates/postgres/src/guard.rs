//! The refusal to start on a database whose isolation has a gap.
//!
//! Row-level security protects only while nobody changes the schema carelessly, so a server looks for every way around
//! it that PostgreSQL knows before it answers the first request. What is looked at is the catalog itself, not what the
//! migrations say.

mod policies;
mod relations;
mod roles;

use std::fmt;

use sqlx::PgConnection;

use crate::{
    database::Database,
    error::DatabaseError,
    migrate,
    roles::{APP_ROLE, SYSTEM_ROLE},
    scope,
};

/// A way for a row to be seen or written outside of its scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenDoor {
    /// A table that the list of classes does not name.
    #[error("table {table} has no isolation class: isolate it in its migration and add it to isolation.rs")]
    UnclassifiedTable {
        /// The table.
        table: String,
    },
    /// A table that the list names and the schema does not have.
    #[error(
        "table {table} is in isolation.rs and not in the database: run `tenantry migrate`, or take it off the list"
    )]
    MissingTable {
        /// The table.
        table: String,
    },
    /// Policies that give a table to other scopes than its class says.
    #[error("table {table} is classified {class} and its policies make it {found}: correct the one that is wrong")]
    OtherClass {
        /// The table.
        table: String,
        /// What the list says.
        class: &'static str,
        /// What the policies for the application's role amount to.
        found: &'static str,
    },
    /// Policies are not applied at all.
    #[error("row-level security is off on {table}: ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")]
    RowSecurityOff {
        /// The table.
        table: String,
    },
    /// Policies do not bind the owner.
    #[error("row-level security is not forced on {table}: ALTER TABLE {table} FORCE ROW LEVEL SECURITY")]
    RowSecurityNotForced {
        /// The table.
        table: String,
    },
    /// A role may use a command that no policy decides about: it would silently find nothing.
    #[error("{role} may {command} on {table} and no policy says which rows: add the policy or revoke the right")]
    CommandWithoutPolicy {
        /// The table.
        table: String,
        /// Who may.
        role: String,
        /// `select`, `insert`, `update` or `delete`.
        command: String,
    },
    /// A right of the application's role that no statement of its was given.
    #[error(
        "tenantry_app, or everybody, may {command} on {table}: REVOKE it, or list it in isolation.rs if a statement needs it"
    )]
    ExtraRight {
        /// The table.
        table: String,
        /// `select`, `insert`, `update`, `delete`, `truncate`, `references` or `trigger`.
        command: String,
    },
    /// A policy that lets somebody else than the system role and the owner see rows whatever the scope.
    #[error(
        "policy {policy} on {table} does not depend on a scope: it has to compare with app.organization_id or app.user_id, without OR"
    )]
    UnscopedPolicy {
        /// The table.
        table: String,
        /// The policy.
        policy: String,
    },
    /// A part of a table that can be reached directly, past the policies of the whole.
    #[error("partition {partition} of {table} has not the row-level security of the whole: isolate it too")]
    PartitionWithoutPolicy {
        /// The partition.
        partition: String,
        /// The table it is part of.
        table: String,
    },
    /// A view that reads with the rights of its owner.
    #[error("view {view} reads with its owner's rights: ALTER VIEW {view} SET (security_invoker = true)")]
    ViewWithOwnersRights {
        /// The view.
        view: String,
    },
    /// A copy of rows that policies do not reach.
    #[error("materialized view {view} holds rows that no policy covers: make it a table with a class, or drop it")]
    MaterializedView {
        /// The view.
        view: String,
    },
    /// A rule that runs statements with the rights of the table's owner.
    #[error("rule {rule} on {table} acts with its owner's rights: make it a trigger, or drop it")]
    RewriteRule {
        /// The table.
        table: String,
        /// The rule.
        rule: String,
    },
    /// A function that runs with the rights of its owner.
    #[error("function {function} runs with its owner's rights: ALTER FUNCTION {function} SECURITY INVOKER")]
    SecurityDefinerFunction {
        /// The function with the types of its arguments.
        function: String,
    },
    /// A role of the server that does not exist.
    #[error("role {role} does not exist: run `tenantry migrate`")]
    MissingRole {
        /// The role.
        role: &'static str,
    },
    /// A role of the server with an attribute that goes around policies.
    #[error("role {role} is {attribute}: ALTER ROLE {role} NO{attribute}")]
    PowerfulRole {
        /// The role.
        role: String,
        /// `SUPERUSER`, `BYPASSRLS`, `CREATEROLE` or `REPLICATION`.
        attribute: &'static str,
    },
    /// A role of the server that owns something, and may therefore change its rules.
    #[error("role {role} owns {object}: give it to the owner of the database")]
    OwningRole {
        /// The role.
        role: String,
        /// What it owns.
        object: String,
    },
    /// A role of the server that can act as one that sees more, directly or through others.
    #[error("role {role} is a member of {of}, directly or through another role: REVOKE {of} FROM {role}")]
    Membership {
        /// The role.
        role: String,
        /// Whose rights it has.
        of: String,
    },
    /// A pool that logged in as somebody else.
    #[error("the {pool} connection logs in as {found}, it has to be {expected}: correct its URL")]
    OtherLogin {
        /// Which of the pools.
        pool: &'static str,
        /// Who should be logged in.
        expected: &'static str,
        /// Who is.
        found: String,
    },
    /// A schema older than the program.
    #[error("migration {version} is not applied: run `tenantry migrate`")]
    PendingMigration {
        /// The migration.
        version: i64,
    },
    /// A schema newer than the program, or not the one it was made for.
    #[error("migration {version} in the database is not this build's: run the release that applied it")]
    ForeignMigration {
        /// The migration.
        version: i64,
    },
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The isolation of customers has gaps.
    #[error("the database does not keep customers apart:\n{0}")]
    OpenDoors(OpenDoors),
    /// The database could not be examined.
    #[error("the isolation of customers cannot be checked: {0}")]
    Database(#[from] DatabaseError),
}

/// Everything that was found, so that it can be mended in one go.
#[derive(Debug)]
pub struct OpenDoors(pub Vec<OpenDoor>);

impl fmt::Display for OpenDoors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, door) in self.0.iter().enumerate() {
            if line > 0 {
                writeln!(f)?;
            }
            write!(f, "  - {door}")?;
        }
        Ok(())
    }
}

impl Database {
    /// Looks for every open door, in the schema and in who this server is logged in as.
    ///
    /// # Errors
    /// PostgreSQL cannot be asked.
    pub async fn open_doors(&self) -> Result<Vec<OpenDoor>, DatabaseError> {
        let mut doors = Vec::new();
        for (pool, connections, expected) in [
            ("application", self.app_pool(), APP_ROLE),
            ("system", self.system_pool(), SYSTEM_ROLE),
            ("direct", self.direct(), SYSTEM_ROLE),
        ] {
            let found = scope::login_of(connections).await?;
            if found != expected {
                doors.push(OpenDoor::OtherLogin { pool, expected, found });
            }
        }
        // Who is somebody else may not be able to look.
        if doors.is_empty() {
            let mut connection = self.direct().acquire().await?;
            doors = open_doors(&mut connection).await?;
        }
        Ok(doors)
    }

    /// Refuses a database with an open door. A server calls this before it serves anything.
    ///
    /// # Errors
    /// The doors, all of them, or why they could not be looked for.
    pub async fn refuse_open_doors(&self) -> Result<(), Refusal> {
        let doors = self.open_doors().await?;
        if doors.is_empty() {
            return Ok(());
        }
        Err(Refusal::OpenDoors(OpenDoors(doors)))
    }
}

/// The open doors of the schema and of the roles, as any role that may read the catalog sees them. Without the
/// migrations, or with others, nothing else is looked at: the list of tables would not fit.
///
/// # Errors
/// PostgreSQL cannot be asked.
pub async fn open_doors(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let mut doors = migrations(connection).await?;
    if doors.is_empty() {
        doors.extend(relations::open_doors(connection).await?);
        doors.extend(policies::open_doors(connection).await?);
    }
    doors.extend(roles::open_doors(connection).await?);
    Ok(doors)
}

async fn migrations(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let status = migrate::status(connection).await?;
    let pending = status.pending().map(|migration| OpenDoor::PendingMigration {
        version: migration.version,
    });
    let foreign = status
        .unknown
        .iter()
        .chain(&status.edited)
        .map(|version| OpenDoor::ForeignMigration { version: *version });
    Ok(pending.chain(foreign).collect())
}
