//! PgBouncer in transaction mode, in front of a test's database.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{Connection, PgConnection};

use crate::{
    database::TestDatabase,
    files::{private_folder, unprivileged, write},
    ports::free_port,
    supervised::Supervised,
    wait::wait_for,
};

/// A transaction pooler of a test's own. Few connections behind it, so that clients share them all the time.
#[derive(Debug)]
pub struct Pgbouncer {
    /// Log-in as `tenantry_app` through the pooler.
    pub app_url: String,
    /// Log-in as `tenantry_system` through the pooler.
    pub system_url: String,
    _process: Supervised,
}

impl Pgbouncer {
    /// Starts one in front of `database`, with `pool_size` connections for each role.
    ///
    /// # Panics
    /// When PgBouncer is not installed or does not start.
    pub async fn start(database: &TestDatabase, pool_size: u16) -> Self {
        for _ in 0..3 {
            if let Some(pooler) = Self::try_start(database, pool_size).await {
                return pooler;
            }
        }
        panic!("PgBouncer found no free port three times");
    }

    async fn try_start(database: &TestDatabase, pool_size: u16) -> Option<Self> {
        let account = unprivileged();
        let folder = private_folder("tenantry-pgb-", account);
        let port = free_port();
        let server = database.server();
        let settings = format!(
            "[databases]
{name} = host={socket} port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 1000
max_db_connections = 0
; sqlx sends it with every log-in.
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
",
            name = database.name,
            socket = server.socket_folder().display(),
            server_port = server.port(),
            users = folder.join("users").display(),
        );
        let configuration = folder.join("pgbouncer.ini");
        write(&configuration, &settings, account);
        write(
            &folder.join("users"),
            "\"tenantry_app\" \"\"\n\"tenantry_system\" \"\"\n",
            account,
        );
        let mut process = Supervised::start(
            &program(),
            &[configuration.display().to_string()],
            &[],
            account,
            Some(&folder),
            "INT",
            &folder.join("log"),
        );
        let url = |role: &str| format!("postgres://{role}@127.0.0.1:{port}/{}", database.name);
        let app_url = url("tenantry_app");
        let up = wait_for("PgBouncer to start", Duration::from_secs(10), async || {
            if let Some(obituary) = process.obituary() {
                assert!(obituary.contains("in use"), "PgBouncer ended: {obituary}");
                return Some(false);
            }
            let connection = PgConnection::connect(&app_url).await.ok()?;
            connection.close().await.ok()?;
            Some(true)
        })
        .await;
        up.then(|| Self {
            app_url,
            system_url: url("tenantry_system"),
            _process: process,
        })
    }
}

fn program() -> PathBuf {
    ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
        .into_iter()
        .map(Path::new)
        .find(|candidate| candidate.exists())
        .expect("PgBouncer: install Debian's package pgbouncer")
        .to_owned()
}
