//! A migrated database for each test.

use std::time::Duration;

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_postgres::{
    Database, DatabaseConfig,
    config::PoolSizes,
    migrate::{MigrateConfig, migrate},
};
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::postgres::{OWNER, PrivatePostgres};

const TEMPLATE: &str = "tenantry_template";

static MIGRATED: OnceCell<()> = OnceCell::const_new();
/// One copy at a time: PostgreSQL refuses to copy a template that another copy is connected to.
static COPYING: Mutex<()> = Mutex::const_new(());

/// A database of its own for one test. It goes with the server, at the end of the process.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    server: &'static PrivatePostgres,
    /// The database's name.
    pub name: String,
    /// Log-in as `tenantry_app`.
    pub app_url: String,
    /// Log-in as `tenantry_system`.
    pub system_url: String,
    /// Log-in as the owner, who migrates and is not a superuser.
    pub owner_url: String,
}

impl TestDatabase {
    /// A migrated database with nothing in it but an identifier of its own.
    ///
    /// # Panics
    /// When PostgreSQL does not start or a migration fails.
    pub async fn create() -> Self {
        let server = PrivatePostgres::start().await;
        MIGRATED.get_or_init(|| make_template(server)).await;
        let database = Self::copy_of(server, TEMPLATE).await;
        let mut owner = database.owner().await;
        sqlx::query("update installation set id = $1")
            .bind(Uuid::now_v7())
            .execute(&mut owner)
            .await
            .expect("an identifier for the installation");
        database
    }

    /// A database without any table, for tests of the migrations themselves.
    ///
    /// # Panics
    /// When PostgreSQL does not start.
    pub async fn create_empty() -> Self {
        Self::copy_of(PrivatePostgres::start().await, "template0").await
    }

    /// Another database, with everything that this one holds. Nobody may be connected to this one.
    ///
    /// # Panics
    /// When somebody is.
    pub async fn copy(&self) -> Self {
        Self::copy_of(self.server, &self.name).await
    }

    /// A server's view of it.
    ///
    /// # Panics
    /// When the roles cannot log in.
    pub async fn database(&self) -> Database {
        self.database_with(|_| {}).await
    }

    /// The same, with other settings than the tests' usual ones.
    ///
    /// # Panics
    /// When the roles cannot log in.
    pub async fn database_with(&self, adjust: impl FnOnce(&mut DatabaseConfig)) -> Database {
        let mut config = self.config();
        adjust(&mut config);
        Database::connect(&config)
            .await
            .expect("a connection as the application's roles")
    }

    /// What a server of this database is configured with. Small pools: many tests share one PostgreSQL.
    #[must_use]
    pub fn config(&self) -> DatabaseConfig {
        let mut config = DatabaseConfig::new(
            SecretString::from(self.app_url.clone()),
            SecretString::from(self.system_url.clone()),
        );
        // A test may have hundreds wait for a turn on a machine that does much else.
        config.acquire_timeout = Duration::from_secs(60);
        config.pools = PoolSizes {
            app: 4,
            system: 4,
            direct: 4,
        };
        config
    }

    /// What `migrate` is run with.
    #[must_use]
    pub fn migrate_config(&self) -> MigrateConfig {
        MigrateConfig {
            owner_url: SecretString::from(self.owner_url.clone()),
            app_url: SecretString::from(self.app_url.clone()),
            system_url: SecretString::from(self.system_url.clone()),
        }
    }

    /// The server that it lives on.
    #[must_use]
    pub fn server(&self) -> &'static PrivatePostgres {
        self.server
    }

    /// A connection as the owner.
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url)
            .await
            .expect("a connection as owner")
    }

    /// A connection as superuser, whom no policy binds.
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn superuser(&self) -> PgConnection {
        self.server.superuser(&self.name).await
    }

    async fn copy_of(server: &'static PrivatePostgres, template: &str) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        create(server, &name, template).await;
        Self {
            server,
            app_url: server.url("tenantry_app", &name),
            system_url: server.url("tenantry_system", &name),
            owner_url: server.url(OWNER, &name),
            name,
        }
    }
}

async fn create(server: &PrivatePostgres, name: &str, template: &str) {
    let _alone = COPYING.lock().await;
    let mut superuser = server.superuser("postgres").await;
    superuser
        .execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "create database {name} template {template} owner {OWNER}"
        ))))
        .await
        .unwrap_or_else(|error| panic!("{name} cannot be copied from {template}: {error}"));
    superuser.close().await.expect("a connection that closes");
}

async fn make_template(server: &'static PrivatePostgres) {
    create(server, TEMPLATE, "template0").await;
    let template = TestDatabase {
        server,
        name: TEMPLATE.to_owned(),
        app_url: server.url("tenantry_app", TEMPLATE),
        system_url: server.url("tenantry_system", TEMPLATE),
        owner_url: server.url(OWNER, TEMPLATE),
    };
    migrate(&template.migrate_config())
        .await
        .unwrap_or_else(|error| panic!("the migrations fail: {error}"));
}
