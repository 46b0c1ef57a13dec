//! The pools of a running server, and the ways to open a transaction.

use std::{str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tenantry_domain::ids::{OrganizationId, UserId};

use crate::{
    config::DatabaseConfig,
    error::DatabaseError,
    scope::{Access, OrganizationTx, SystemTx, UserTx},
};

/// A connection that nobody used for this long is closed, so that a quiet server holds few.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// No connection lives longer: PostgreSQL's processes grow with what they have cached.
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The database of this installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    app: PgPool,
    system: PgPool,
    direct: PgPool,
}

impl Database {
    /// Opens one connection of each pool, so that a wrong address or password is known at once.
    ///
    /// # Errors
    /// A URL that cannot be read, a server that cannot be reached, or a log-in that is refused.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        let direct_url = config.direct_url.as_ref().unwrap_or(&config.system_url);
        let pools = config.pools;
        let (app, system, direct) = tokio::try_join!(
            pool(config, &config.app_url, "tenantry app", pools.app, Statements::Unnamed),
            pool(
                config,
                &config.system_url,
                "tenantry system",
                pools.system,
                Statements::Unnamed
            ),
            pool(config, direct_url, "tenantry direct", pools.direct, Statements::Named),
        )?;
        Ok(Self { app, system, direct })
    }

    /// One organization's rows.
    ///
    /// # Errors
    /// No connection in time, or none at all.
    pub async fn organization(&self, id: OrganizationId) -> Result<OrganizationTx, DatabaseError> {
        OrganizationTx::begin(&self.app, Access::ReadWrite, id).await
    }

    /// One organization's rows, in a transaction that PostgreSQL does not let write.
    ///
    /// # Errors
    /// No connection in time, or none at all.
    pub async fn read_organization(&self, id: OrganizationId) -> Result<OrganizationTx, DatabaseError> {
        OrganizationTx::begin(&self.app, Access::ReadOnly, id).await
    }

    /// A user's own rows.
    ///
    /// # Errors
    /// No connection in time, or none at all.
    pub async fn user(&self, id: UserId) -> Result<UserTx, DatabaseError> {
        UserTx::begin(&self.app, Access::ReadWrite, id).await
    }

    /// Every row. `purpose` says in a few words why no narrower scope will do; it is logged.
    ///
    /// # Errors
    /// No connection in time, or none at all.
    pub async fn system(&self, purpose: &'static str) -> Result<SystemTx, DatabaseError> {
        tracing::trace!(purpose, "system transaction");
        SystemTx::begin(&self.system, Access::ReadWrite).await
    }

    /// Every row, in a transaction that PostgreSQL does not let write.
    ///
    /// # Errors
    /// No connection in time, or none at all.
    pub async fn read_system(&self, purpose: &'static str) -> Result<SystemTx, DatabaseError> {
        tracing::trace!(purpose, "system transaction, read-only");
        SystemTx::begin(&self.system, Access::ReadOnly).await
    }

    /// Sessions of `tenantry_system` that no pooler stands before: the engine, jobs and LISTEN.
    #[must_use]
    pub fn direct(&self) -> &PgPool {
        &self.direct
    }

    /// Waits for the lock of this name and takes it, for work that goes on outside of the database as well: no
    /// transaction stays open meanwhile.
    ///
    /// # Errors
    /// `Timeout` when somebody else keeps it; no connection.
    pub async fn take_turn(&self, name: &str) -> Result<Turn, DatabaseError> {
        let mut session = self.direct.acquire().await?.detach();
        sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))")
            .bind(name)
            .execute(&mut session)
            .await?;
        Ok(Turn(session))
    }

    /// Closes every connection, once the transactions in flight have ended.
    pub async fn close(&self) {
        tokio::join!(self.app.close(), self.system.close(), self.direct.close());
    }

    pub(crate) fn app_pool(&self) -> &PgPool {
        &self.app
    }

    pub(crate) fn system_pool(&self) -> &PgPool {
        &self.system
    }
}

/// A lock that outlasts transactions, held by a session of its own: it ends with the program at the latest.
#[derive(Debug)]
#[must_use]
pub struct Turn(PgConnection);

impl Turn {
    /// Lets the next one in.
    ///
    /// # Errors
    /// The database's; the lock is gone then, too.
    pub async fn end(mut self) -> Result<(), DatabaseError> {
        sqlx::query("select pg_advisory_unlock_all()")
            .execute(&mut self.0)
            .await?;
        Ok(self.0.close().await?)
    }
}

/// Whether a pool's connections may keep prepared statements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statements {
    Named,
    Unnamed,
}

async fn pool(
    config: &DatabaseConfig,
    url: &SecretString,
    application_name: &str,
    max_connections: u32,
    statements: Statements,
) -> Result<PgPool, DatabaseError> {
    let mut options = PgConnectOptions::from_str(url.expose_secret())?.application_name(application_name);
    if statements == Statements::Unnamed {
        options = options.statement_cache_capacity(0);
    }
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .min_connections(0)
        .acquire_timeout(config.acquire_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        // Each transaction begins with a statement anyway, and a ping outside of one costs a round trip.
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    Ok(pool)
}
