//! An installation without servers, and a terminal on it.

use std::{collections::BTreeMap, fs, process::Stdio};

use serde_json::{Value, json};
use sqlx::PgConnection;
use tempfile::TempDir;
use tenantry_test_support::{TestDatabase, free_port};
use tokio::{io::AsyncWriteExt, process::Command};

pub(crate) const FAILED: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const NOT_FOUND: i32 = 3;
pub(crate) const REFUSED: i32 = 4;
pub(crate) const UNAVAILABLE: i32 = 5;

/// The master key's bytes, as its file has them.
pub(crate) const MASTER_KEY: &str = "dGVuYW50cnktdGVzdHMtMzItYnl0ZS1tYXN0ZXIta2U=";
/// A port of loopback on which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Spoken {
    /// What `--output json` printed, which is one document and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// The names in an object, in order: what scripts may rely on.
    #[track_caller]
    pub(crate) fn fields(document: &Value) -> Vec<&str> {
        let object = document.as_object().unwrap_or_else(|| panic!("no object: {document}"));
        let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

pub(crate) struct Terminal {
    pub(crate) database: TestDatabase,
    /// Where people would reach it.
    pub(crate) url: String,
    environment: BTreeMap<&'static str, String>,
    folder: TempDir,
}

impl Terminal {
    pub(crate) async fn open() -> Self {
        let database = TestDatabase::create().await;
        let folder = tempfile::Builder::new().prefix("tenantry-terminal-").tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("master-keys"), format!("k1 {MASTER_KEY}\n")).unwrap();
        let cluster = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "none",
            "clusters": [{ "name": "none", "cluster": { "server": NOBODY } }],
            "users": [{ "name": "none", "user": {} }],
            "contexts": [{ "name": "none", "context": { "cluster": "none", "user": "none" } }],
        });
        fs::write(path("kubeconfig"), cluster.to_string()).unwrap();
        let address = format!("localhost:{}", free_port());
        let url = format!("http://{address}");
        let environment = BTreeMap::from([
            ("DATABASE_URL", database.app_url.clone()),
            ("DATABASE_SYSTEM_URL", database.system_url.clone()),
            ("TENANTRY_DATABASE_CONNECTIONS", "4".to_owned()),
            ("TENANTRY_LISTEN", address.replace("localhost", "127.0.0.1")),
            ("TENANTRY_PUBLIC_URL", url.clone()),
            ("TENANTRY_MASTER_KEY_FILE", path("master-keys")),
            ("STRIPE_SECRET_KEY", "sk_test_nobody".to_owned()),
            ("TENANTRY_STRIPE_API_BASE", NOBODY.to_owned()),
            ("TENANTRY_KUBECONFIG", path("kubeconfig")),
            ("TENANTRY_TENANT_DOMAIN", "tenants.localhost".to_owned()),
            ("TENANTRY_TENANT_SCHEME", "http".to_owned()),
            ("TENANTRY_SMTP_URL", "smtp://127.0.0.1:9".to_owned()),
            ("TENANTRY_MAIL_FROM", "Tenantry <hello@tenantry.example>".to_owned()),
            // As cheap as the program allows.
            ("TENANTRY_PASSWORD_MEMORY_KIB", "7168".to_owned()),
            ("TENANTRY_PASSWORD_ITERATIONS", "1".to_owned()),
        ]);
        Self {
            database,
            url,
            environment,
            folder,
        }
    }

    /// A file or folder of this installation.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Spoken {
        self.run_with(&[], "", arguments).await
    }

    /// The same with something on its standard input.
    pub(crate) async fn say(&self, input: &str, arguments: &[&str]) -> Spoken {
        self.run_with(&[], input, arguments).await
    }

    /// The same with other settings.
    pub(crate) async fn run_with(&self, settings: &[(&str, &str)], input: &str, arguments: &[&str]) -> Spoken {
        let mut command = self.command();
        command.envs(settings.iter().copied()).args(arguments);
        speak(command, input).await
    }

    /// Runs a command that has to succeed, for its answer as JSON.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--output", "json"]].concat()).await.json()
    }

    /// Runs a command that has to succeed, for its answer as text.
    pub(crate) async fn text(&self, arguments: &[&str]) -> String {
        let spoken = self.run(arguments).await;
        assert_eq!(spoken.code, 0, "{arguments:?}: {spoken:?}");
        spoken.stdout
    }

    /// The code that a command ends with; a refusal is told on standard error, in a sentence and not in a panic.
    pub(crate) async fn code(&self, arguments: &[&str]) -> i32 {
        let spoken = self.run(arguments).await;
        assert!(!spoken.stderr.contains("panicked"), "{spoken:?}");
        if spoken.code != 0 {
            assert!(
                spoken.stdout.is_empty() && !spoken.stderr.is_empty(),
                "{arguments:?}: {spoken:?}"
            );
        }
        spoken.code
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = program();
        command.envs(&self.environment).current_dir(self.folder.path());
        command
    }

    pub(crate) async fn superuser(&self) -> PgConnection {
        self.database.superuser().await
    }

    /// How many rows a query counts.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&mut self.superuser().await)
            .await
            .unwrap()
    }

    /// One value of the ledger.
    pub(crate) async fn value(&self, query: &'static str) -> String {
        sqlx::query_scalar(query)
            .fetch_one(&mut self.superuser().await)
            .await
            .unwrap()
    }
}

/// `tenantry` without a single setting.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().kill_on_drop(true);
    command
}

pub(crate) async fn speak(mut command: Command, input: &str) -> Spoken {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that wants nothing to read may have ended.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(std::time::Duration::from_secs(120), child.wait_with_output())
        .await
        .expect("a command that ends")
        .unwrap();
    Spoken {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
