//! A PostgreSQL server of our own, once per test process.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

use crate::{
    files::{Account, private_folder, repository, unprivileged, write},
    ports::free_port,
    supervised::Supervised,
    wait::wait_for,
};

/// Quick rather than safe: the data is thrown away with the process.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
checkpoint_timeout = 1h
autovacuum = off
jit = off
timezone = 'UTC'
log_min_messages = warning
log_statement = 'none'
";

/// Passwords are asked for in one database only: SCRAM costs 4096 rounds of hashing for each connection, which
/// unoptimised tests would feel.
const ACCESS: &str = "
local all all trust
host needs_password all 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

/// The owner of every database: not a superuser, as on a managed server.
pub(crate) const OWNER: &str = "tenantry_owner";

/// The server of this test process.
#[derive(Debug)]
pub struct PrivatePostgres {
    port: u16,
    socket_folder: PathBuf,
    /// Kept so that the server lives as long as the process.
    _process: Mutex<Supervised>,
}

static SERVER: OnceCell<PrivatePostgres> = OnceCell::const_new();

impl PrivatePostgres {
    /// The server of this process, started by whoever asks first.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> &'static Self {
        SERVER.get_or_init(Self::launch).await
    }

    /// Where it listens on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// A log-in to one of its databases. Any password is accepted.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// A connection as superuser, for what a test prepares behind the application's back.
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn superuser(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url("postgres", database))
            .await
            .expect("a connection as superuser")
    }

    async fn launch() -> Self {
        let binaries = binaries();
        let account = unprivileged();
        for _ in 0..3 {
            if let Some(server) = Self::try_launch(&binaries, account).await {
                return server;
            }
        }
        panic!("PostgreSQL found no free port three times");
    }

    /// `None` when another process took the port in the meantime.
    async fn try_launch(binaries: &Path, account: Option<Account>) -> Option<Self> {
        let folder = private_folder("tenantry-pg-", account);
        let cluster = folder.join("data");
        initialise(binaries, &cluster, account);

        let port = free_port();
        write(&cluster.join("pg_hba.conf"), ACCESS, account);
        let settings = format!(
            "{SETTINGS}port = {port}\nunix_socket_directories = '{}'\n",
            folder.display()
        );
        write(&cluster.join("postgresql.auto.conf"), &settings, account);

        let mut process = Supervised::start(
            &binaries.join("postgres"),
            &["-D".to_owned(), cluster.display().to_string()],
            &[],
            account,
            Some(&folder),
            "QUIT",
            &folder.join("log"),
        );
        let superuser = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let connection = wait_for("PostgreSQL to start", Duration::from_secs(30), async || {
            if let Some(obituary) = process.obituary() {
                assert!(
                    obituary.contains("Address already in use"),
                    "PostgreSQL ended: {obituary}"
                );
                return Some(None);
            }
            PgConnection::connect(&superuser).await.ok().map(Some)
        })
        .await;
        let mut connection = connection?;
        sqlx::query("create role tenantry_owner login createrole createdb")
            .execute(&mut connection)
            .await
            .expect("the owner's role");
        Some(Self {
            port,
            socket_folder: folder,
            _process: Mutex::new(process),
        })
    }
}

fn initialise(binaries: &Path, cluster: &Path, account: Option<Account>) {
    let initdb = binaries.join("initdb");
    let mut command = match account {
        Some(account) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={}", account.uid))
                .arg(format!("--regid={}", account.gid))
                .args(["--clear-groups", "--"])
                .arg(&initdb);
            command
        }
        None => Command::new(&initdb),
    };
    let output = command
        .arg("-D")
        .arg(cluster)
        .args(["-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8"])
        .args(["--no-sync", "--no-instructions"])
        .current_dir("/")
        .output()
        .expect("initdb");
    assert!(
        output.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Where `postgres` and `initdb` are: `TENANTRY_TEST_POSTGRES_BIN`, else the newest that Debian's packages installed,
/// else the copy that `dev/tools/postgres` keeps in the cache.
fn binaries() -> PathBuf {
    if let Some(chosen) = env::var_os("TENANTRY_TEST_POSTGRES_BIN") {
        return PathBuf::from(chosen);
    }
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.join("initdb").exists().then_some((version, folder))
        })
        .collect();
    installed.sort();
    if let Some((_, folder)) = installed.pop() {
        return folder;
    }
    let output = Command::new(repository().join("dev/tools/postgres"))
        .output()
        .expect("dev/tools/postgres");
    assert!(
        output.status.success(),
        "no PostgreSQL: install Debian's package postgresql, or: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
