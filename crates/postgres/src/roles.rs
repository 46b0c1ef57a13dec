//! The two log-in roles of a running server: made, repaired and given what they need by `migrate`, without a superuser.

use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{error::DatabaseError, scram};

/// Who answers customers: one scope at a time.
pub const APP_ROLE: &str = "tenantry_app";
/// Who does what spans organizations: sees every row.
pub const SYSTEM_ROLE: &str = "tenantry_system";

/// Why a role cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The URL cannot be read.
    #[error("the URL for {role} cannot be read; it has the form postgres://{role}:PASSWORD@HOST:PORT/DATABASE")]
    MalformedUrl {
        /// Whose URL it is.
        role: &'static str,
    },
    /// The URL logs in as somebody else; the policies in the database name the role.
    #[error("the URL for {role} logs in as {found}: it has to log in as {role}, which the policies name")]
    OtherRole {
        /// Who should log in.
        role: &'static str,
        /// Who does.
        found: String,
    },
    /// A password that SCRAM would have to normalise first.
    #[error("the password of {role} may hold printable ASCII characters only")]
    PasswordNotAscii {
        /// Whose password it is.
        role: &'static str,
    },
    /// The role is missing and the owner may not make it.
    #[error(
        "the role {role} does not exist and {owner} may not create it; as an administrator run:\n  \
         CREATE ROLE {role} LOGIN NOINHERIT PASSWORD '…';\nor let {owner} do it:\n  ALTER ROLE {owner} CREATEROLE;"
    )]
    MayNotCreate {
        /// The missing role.
        role: &'static str,
        /// Who runs the migration.
        owner: String,
    },
    /// The role's password is not the one of its URL and the owner may not set it.
    #[error("{role} cannot log in with the password of its URL, and {owner} may not set it: {source}")]
    MayNotSetPassword {
        /// The role.
        role: &'static str,
        /// Who runs the migration.
        owner: String,
        /// What PostgreSQL said.
        source: DatabaseError,
    },
    /// The role can do more than the isolation of customers allows, and only an administrator can take it away.
    #[error(
        "the role {role} is {attribute}, which row-level security does not bind; as an administrator run:\n  ALTER ROLE {role} {mend};"
    )]
    TooPowerful {
        /// The role.
        role: &'static str,
        /// What it is or has.
        attribute: &'static str,
        /// The SQL that takes it away.
        mend: &'static str,
    },
    /// PostgreSQL answered with an error.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for RoleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

#[derive(sqlx::FromRow)]
struct RoleAttributes {
    rolcanlogin: bool,
    rolinherit: bool,
    rolsuper: bool,
    rolbypassrls: bool,
    rolcreaterole: bool,
    rolcreatedb: bool,
    rolreplication: bool,
}

/// How long statements of a role may take and transactions may idle: a guard against what is forgotten, not a budget.
fn limits(role: &str) -> [(&'static str, &'static str); 3] {
    let statement = if role == APP_ROLE { "30s" } else { "5min" };
    [
        ("statement_timeout", statement),
        ("lock_timeout", "15s"),
        ("idle_in_transaction_session_timeout", "1min"),
    ]
}

/// Makes sure that the role exists, can log in by its URL, and has no attribute that would open a door. Says in a line
/// each what it changed.
pub(crate) async fn ensure(
    owner: &mut PgConnection,
    role: &'static str,
    url: &SecretString,
) -> Result<Vec<String>, RoleError> {
    let login: PgConnectOptions = url
        .expose_secret()
        .parse()
        .map_err(|_| RoleError::MalformedUrl { role })?;
    if login.get_username() != role {
        return Err(RoleError::OtherRole {
            role,
            found: login.get_username().to_owned(),
        });
    }
    let password = password_of(url, role)?;
    let mut changes = Vec::new();

    match attributes(owner, role).await? {
        None => {
            create(owner, role, password.as_ref()).await?;
            changes.push(format!("created role {role}"));
        }
        Some(found) => {
            if repair(owner, role, &found).await? {
                changes.push(format!("repaired the attributes of role {role}"));
            }
            if let Some(password) = &password
                && !can_log_in(&login).await?
            {
                set_password(owner, role, password).await?;
                changes.push(format!("set the password of role {role}"));
            }
        }
    }
    if set_limits(owner, role).await? {
        changes.push(format!("set the time limits of role {role}"));
    }
    Ok(changes)
}

fn password_of(url: &SecretString, role: &'static str) -> Result<Option<SecretString>, RoleError> {
    let url = url::Url::parse(url.expose_secret()).map_err(|_| RoleError::MalformedUrl { role })?;
    let Some(encoded) = url.password() else {
        return Ok(None);
    };
    let password = percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| RoleError::PasswordNotAscii { role })?;
    if !password.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(RoleError::PasswordNotAscii { role });
    }
    Ok(Some(SecretString::from(password.into_owned())))
}

async fn attributes(owner: &mut PgConnection, role: &str) -> Result<Option<RoleAttributes>, RoleError> {
    Ok(sqlx::query_as(
        "select rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
         from pg_roles where rolname = $1",
    )
    .bind(role)
    .fetch_optional(owner)
    .await?)
}

async fn create(
    owner: &mut PgConnection,
    role: &'static str,
    password: Option<&SecretString>,
) -> Result<(), RoleError> {
    let clause = password.map(password_clause).unwrap_or_default();
    let statement = format!("create role {role} login noinherit{clause}");
    match sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *owner)
        .await
        .map_err(DatabaseError::from)
    {
        Ok(_) => Ok(()),
        Err(DatabaseError::Forbidden(_)) => Err(RoleError::MayNotCreate {
            role,
            owner: current_user(owner).await?,
        }),
        Err(error) => Err(error.into()),
    }
}

/// Takes away what a role must not have, as far as an owner with CREATEROLE can; the rest is refused with the statement
/// that an administrator has to run.
async fn repair(owner: &mut PgConnection, role: &'static str, found: &RoleAttributes) -> Result<bool, RoleError> {
    for (has, attribute, mend) in [
        (found.rolsuper, "a superuser", "NOSUPERUSER"),
        (found.rolbypassrls, "allowed to bypass it (BYPASSRLS)", "NOBYPASSRLS"),
        (found.rolreplication, "allowed to replicate", "NOREPLICATION"),
    ] {
        if has {
            return Err(RoleError::TooPowerful { role, attribute, mend });
        }
    }
    if found.rolcanlogin && !found.rolinherit && !found.rolcreaterole && !found.rolcreatedb {
        return Ok(false);
    }
    let statement = format!("alter role {role} login noinherit nocreaterole nocreatedb");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(owner).await?;
    Ok(true)
}

async fn can_log_in(login: &PgConnectOptions) -> Result<bool, RoleError> {
    match login.connect().await {
        Ok(connection) => {
            connection.close().await?;
            Ok(true)
        }
        Err(sqlx::Error::Database(refusal)) if matches!(refusal.code().as_deref(), Some("28P01" | "28000")) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn set_password(owner: &mut PgConnection, role: &'static str, password: &SecretString) -> Result<(), RoleError> {
    let statement = format!("alter role {role}{}", password_clause(password));
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *owner).await {
        Ok(_) => Ok(()),
        Err(error) => Err(RoleError::MayNotSetPassword {
            role,
            owner: current_user(owner).await?,
            source: error.into(),
        }),
    }
}

/// The server is given the verifier that it would have stored anyway, so no log of it ever holds the password.
fn password_clause(password: &SecretString) -> String {
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    format!(" password '{}'", scram::verifier(password, &salt))
}

/// Sets the limits that differ. A role that belongs to an administrator keeps its own.
async fn set_limits(owner: &mut PgConnection, role: &'static str) -> Result<bool, RoleError> {
    let current: Vec<String> =
        sqlx::query_scalar("select unnest(coalesce(rolconfig, '{}')) from pg_roles where rolname = $1")
            .bind(role)
            .fetch_all(&mut *owner)
            .await?;
    let mut changed = false;
    for (setting, value) in limits(role) {
        if current.iter().any(|line| line.starts_with(&format!("{setting}="))) {
            continue;
        }
        let statement = format!("alter role {role} set {setting} = '{value}'");
        match sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *owner)
            .await
            .map_err(DatabaseError::from)
        {
            Ok(_) => changed = true,
            Err(DatabaseError::Forbidden(_)) => return Ok(changed),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(changed)
}

async fn current_user(connection: &mut PgConnection) -> Result<String, RoleError> {
    Ok(sqlx::query_scalar("select current_user::text")
        .fetch_one(connection)
        .await?)
}
