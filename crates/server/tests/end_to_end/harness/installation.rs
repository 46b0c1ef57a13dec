//! One installation: a database, a stand-in, and what its servers are started with.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
};

use rustls::crypto::{CryptoProvider, ring};
use serde_json::Value;
use tempfile::TempDir;
use tenantry_domain::ids::InstallationId;
use tenantry_test_support::{Mailpit, TestDatabase, free_port};
use tokio::{process::Command, sync::OnceCell};

use super::{Kubernetes, Ledger, PATIENCE, Server, catalog, stripe::Stripe, unique};

const KEYS: &str = "k1 dGVuYW50cnktdGVzdHMtMzItYnl0ZS1tYXN0ZXIta2U=\n";

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Spoken {
    /// What `--output json` printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

/// The inbox of all installations of this process; every customer has an address of their own.
pub(crate) async fn inbox() -> &'static Mailpit {
    static INBOX: OnceCell<Mailpit> = OnceCell::const_new();
    INBOX.get_or_init(Mailpit::start).await
}

/// See the module. Its namespaces go with it.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) database: TestDatabase,
    pub(crate) ledger: Ledger,
    pub(crate) stripe: Stripe,
    pub(crate) kubernetes: Kubernetes,
    /// Where people reach it.
    pub(crate) url: String,
    /// The label of everything that it makes in the cluster.
    pub(crate) id: String,
    pub(crate) environment: BTreeMap<String, String>,
    servers: AtomicU32,
    folder: TempDir,
}

impl Installation {
    /// Everything but a server: a migrated database, an applied catalog.
    pub(crate) async fn prepare() -> Self {
        // Fails when another test has set the same one.
        let _: Result<(), std::sync::Arc<CryptoProvider>> = ring::default_provider().install_default();
        let (database, stripe, kubernetes) =
            tokio::join!(TestDatabase::create(), Stripe::start(), Kubernetes::shared());
        let folder = tempfile::Builder::new()
            .prefix("tenantry-e2e-")
            .tempdir()
            .expect("a folder");
        catalog::write(&repository(), folder.path());
        fs::write(folder.path().join("master-keys"), KEYS).expect("a file");
        let url = format!("http://localhost:{}", free_port());
        let environment = environment(&database, &stripe, &kubernetes, &url, folder.path()).await;
        let ledger = Ledger::of(&database);
        let id: uuid::Uuid = sqlx::query_scalar("select id from installation")
            .fetch_one(ledger.pool())
            .await
            .expect("an installation");
        let installation = Self {
            database,
            ledger,
            stripe,
            kubernetes,
            url,
            id: InstallationId::from_uuid(id).to_string(),
            environment,
            servers: AtomicU32::new(0),
            folder,
        };
        let catalog = installation.path("catalog.yaml");
        installation.must(&["catalog", "apply", &catalog]).await;
        installation
    }

    /// The whole, with one server that answers.
    pub(crate) async fn start() -> (Self, Server) {
        let installation = Self::prepare().await;
        let server = installation.serve().await;
        (installation, server)
    }

    /// A server that answers.
    pub(crate) async fn serve(&self) -> Server {
        self.spawn(&[], 0).ready().await
    }

    /// A second server beside the first.
    pub(crate) async fn serve_another(&self) -> Server {
        self.spawn(&[], free_port()).ready().await
    }

    /// A server that dies at a point of an operation.
    pub(crate) fn serve_until(&self, point: &str) -> Server {
        self.spawn(&[("TENANTRY_KILL_AT", point)], 0)
    }

    /// A server with some settings of its own.
    pub(crate) fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        self.spawn(settings, 0)
    }

    /// A file of this installation.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs `tenantry` to its end.
    pub(crate) async fn tenantry(&self, arguments: &[&str]) -> Spoken {
        self.tenantry_with(&[], arguments).await
    }

    /// The same with some settings changed; an empty one is taken away.
    pub(crate) async fn tenantry_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Spoken {
        let mut command = self.command(settings);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output())
            .await
            .unwrap_or_else(|_| panic!("tenantry {arguments:?} did not end"))
            .expect("tenantry");
        Spoken {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs a command that has to succeed.
    pub(crate) async fn must(&self, arguments: &[&str]) -> Spoken {
        let spoken = self.tenantry(arguments).await;
        assert_eq!(
            spoken.code, 0,
            "tenantry {arguments:?}: {}{}",
            spoken.stderr, spoken.stdout
        );
        spoken
    }

    /// Queues the making of a tenant without a payment; returns tenant and operation.
    pub(crate) async fn provision(&self, organization: &str, product: &str, name: &str) -> (String, String) {
        let plan = if product == "collection" { "starter" } else { "only" };
        let spoken = self
            .must(&[
                "tenant",
                "provision",
                "--organization",
                organization,
                "--product",
                product,
                "--plan",
                plan,
                name,
                "--output",
                "json",
            ])
            .await;
        pair(&spoken)
    }

    /// Queues the removal of a tenant; returns the operation.
    pub(crate) async fn deprovision(&self, tenant: &str) -> String {
        let spoken = self
            .must(&["tenant", "deprovision", tenant, "--yes", "--output", "json"])
            .await;
        pair(&spoken).1
    }

    /// Has an operator try again; returns the operation.
    pub(crate) async fn retry(&self, tenant: &str) -> String {
        pair(&self.must(&["tenant", "retry", tenant, "--output", "json"]).await).1
    }

    fn spawn(&self, settings: &[(&str, &str)], port: u16) -> Server {
        let number = self.servers.fetch_add(1, Ordering::Relaxed);
        let mut command = self.command(settings);
        let mut url = self.url.clone();
        if port != 0 {
            command.env("TENANTRY_LISTEN", format!("127.0.0.1:{port}"));
            url = format!("http://127.0.0.1:{port}");
        }
        command.arg("serve");
        Server::spawn(&command, url, self.folder.path().join(format!("server-{number}.log")))
    }

    fn command(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path());
        for (name, value) in settings {
            command.env(name, value);
        }
        command
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let label = format!("tenantry.dev/installation={}", self.id);
        // A test that failed leaves tenants; those that succeeded leave the ones they did not remove.
        let _ = std::process::Command::new(&self.kubernetes.environment["KUBECTL"])
            .args(["delete", "namespaces", "--wait=false", "-l", &label])
            .env("KUBECONFIG", &self.kubernetes.kubeconfig)
            .stdout(Stdio::null())
            .status();
        if std::thread::panicking() {
            let folder = std::mem::replace(&mut self.folder, TempDir::new().expect("a folder"));
            eprintln!("--- kept for looking at: {}", folder.keep().display());
        }
    }
}

/// The top of the checkout.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the checkout, two folders up")
        .to_owned()
}

fn pair(spoken: &Spoken) -> (String, String) {
    let answer = spoken.json();
    let text = |key: &str| answer[key].as_str().expect("an id").to_owned();
    (text("tenant"), text("operation"))
}

async fn environment(
    database: &TestDatabase,
    stripe: &Stripe,
    kubernetes: &Kubernetes,
    url: &str,
    folder: &Path,
) -> BTreeMap<String, String> {
    let cluster = |name: &str| kubernetes.environment[name].clone();
    let port = url.rsplit(':').next().expect("a port");
    let ingress = cluster("INGRESS_ADDRESS");
    let tenant_port = ingress.rsplit(':').next().expect("a port").to_owned();
    let settings = [
        ("DATABASE_MIGRATION_URL", database.owner_url.clone()),
        ("DATABASE_URL", database.app_url.clone()),
        ("DATABASE_SYSTEM_URL", database.system_url.clone()),
        ("TENANTRY_DATABASE_CONNECTIONS", "4".to_owned()),
        ("TENANTRY_LISTEN", format!("127.0.0.1:{port}")),
        ("TENANTRY_PUBLIC_URL", url.to_owned()),
        (
            "TENANTRY_MASTER_KEY_FILE",
            folder.join("master-keys").display().to_string(),
        ),
        ("STRIPE_SECRET_KEY", stripe.process.api_key.clone()),
        ("TENANTRY_STRIPE_API_BASE", stripe.process.url.clone()),
        ("TENANTRY_KUBECONFIG", cluster("KUBECONFIG")),
        ("TENANTRY_HELM", cluster("HELM")),
        ("TENANTRY_INGRESS_CLASS", cluster("INGRESS_CLASS")),
        ("TENANTRY_INGRESS_NAMESPACE", cluster("INGRESS_NAMESPACE")),
        ("TENANTRY_INGRESS_ADDRESS", ingress),
        ("TENANTRY_CHART_DIRECTORY", folder.join("charts").display().to_string()),
        // Installations share the ingress, so each has hosts of its own.
        ("TENANTRY_TENANT_DOMAIN", format!("{}.tenants.localhost", unique("i"))),
        ("TENANTRY_TENANT_SCHEME", "http".to_owned()),
        ("TENANTRY_TENANT_PORT", tenant_port),
        ("TENANTRY_SMTP_URL", inbox().await.smtp_url.clone()),
        ("TENANTRY_MAIL_FROM", "Tenantry <hello@tenantry.example>".to_owned()),
        ("TENANTRY_OPERATOR_EMAIL", "operator@tenantry.example".to_owned()),
        ("HOME", folder.display().to_string()),
        ("PATH", env::var("PATH").unwrap_or_default()),
    ];
    settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
