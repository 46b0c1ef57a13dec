//! Every setting, its default, and the environment variable that overrides it.

use std::{net::SocketAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use tenantry_app::accounts::PasswordParameters;
use url::Url;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Coloured text, for people.
    Text,
}

/// All settings. Secrets are wrapped, so that printing this shows none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Address that HTTP is served on.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Address that `/metrics` is served on. Without it only a worker serves them, beside its health: they tell strangers
    /// too much.
    pub metrics_listen: Option<SocketAddr>,
    /// Own address for the operators' console and API, which `listen` then knows nothing of.
    pub operator_listen: Option<SocketAddr>,
    /// Where operators reach `operator_listen`.
    pub operator_url: Option<Url>,
    /// Where people reach Tenantry.
    pub public_url: Url,
    /// Proxies whose forwarded address is believed, as addresses or networks (`10.0.0.0/8`).
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Origins of pages elsewhere that may call the API with an access token (`https://app.example.com`).
    #[serde(default)]
    pub cors_origins: Vec<String>,

    /// PostgreSQL as the application role.
    pub database_url: SecretString,
    /// PostgreSQL as the system role.
    pub database_system_url: SecretString,
    /// The system role without a transaction pooler between, where `database_system_url` has one.
    pub database_direct_url: Option<SecretString>,
    /// PostgreSQL as the owner of the schema; `tenantry migrate` and `tenantry doctor` alone use it.
    pub database_migration_url: Option<SecretString>,
    /// Connections that each pool may open.
    #[serde(default = "default_connections")]
    pub database_connections: u32,

    /// File with master keys, one `ID BASE64` a line; the last one seals.
    pub master_key_file: PathBuf,

    /// Stripe's secret key. A test key (`sk_test_…`) and a live key never share a database.
    pub stripe_secret_key: SecretString,
    /// Where Stripe's API is; another address only for the stand-in.
    pub stripe_api_base: Option<Url>,
    /// Secrets of the webhook endpoint, several while one is being replaced.
    #[serde(default)]
    pub stripe_webhook_secrets: Vec<SecretString>,
    /// Ask Stripe for new events instead of waiting for webhooks, for machines that Stripe cannot reach.
    #[serde(default)]
    pub stripe_poll_events: bool,

    /// The cluster's kubeconfig; without it the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// The helm program.
    #[serde(default = "default_helm")]
    pub helm: PathBuf,
    /// Where charts that the catalog names by a relative path are found.
    #[serde(default = "default_chart_directory")]
    pub chart_directory: PathBuf,

    /// The domain below which tenants live, under another registrable domain than `public_url`.
    pub tenant_domain: String,
    /// `https` or `http`, in links to tenants.
    #[serde(default = "default_tenant_scheme")]
    pub tenant_scheme: String,
    /// Port in links to tenants, where it is not the scheme's own.
    pub tenant_port: Option<u16>,
    /// Ingress class that tenants are published under.
    #[serde(default = "default_ingress_class")]
    pub ingress_class: String,
    /// Namespace of the ingress controller, which network policies let in.
    #[serde(default = "default_ingress_namespace")]
    pub ingress_namespace: String,
    /// Where health probes connect, sending the tenant's host name; by default the host is resolved.
    pub ingress_address: Option<SocketAddr>,

    /// Mail server: `smtps://user:password@host[:port]`, `smtp://host:port?tls=required` for STARTTLS, or `smtp://host:port`
    /// for a server on this machine.
    pub smtp_url: SecretString,
    /// Sender of mails.
    pub mail_from: String,
    /// Who is told when something needs a person.
    pub operator_email: Option<String>,

    /// Memory of one password hash (Argon2id) in KiB. When this or the next two are raised, passwords are hashed again as
    /// their owners sign in.
    #[serde(default = "default_password_memory")]
    pub password_memory_kib: u32,
    /// Passes over that memory.
    #[serde(default = "default_password_iterations")]
    pub password_iterations: u32,
    /// Lanes of one hash.
    #[serde(default = "default_password_lanes")]
    pub password_lanes: u32,
    /// Passwords that this process hashes at once; without it, one for each core. Times the memory, it bounds what hashing
    /// takes.
    pub password_concurrency: Option<usize>,

    /// Operations that this process runs at once.
    #[serde(default = "default_operations")]
    pub operation_workers: usize,
    /// Jobs (mail, payment events) that this process runs at once.
    #[serde(default = "default_jobs")]
    pub job_workers: usize,

    /// File or directory that signed checkpoints of the audit log are appended to, besides standard output.
    pub audit_checkpoints: Option<PathBuf>,
    /// Seconds between two checkpoints.
    #[serde(default = "default_audit_checkpoint")]
    pub audit_checkpoint_secs: u64,
    /// Days that a row of the audit log is kept; 366 at least.
    #[serde(default = "default_audit_keep")]
    pub audit_keep_days: u32,

    /// Which log lines appear, such as `info,tenantry=debug`.
    #[serde(default = "default_log")]
    pub log: String,
    /// How they are written.
    #[serde(default = "default_log_format")]
    pub log_format: LogFormat,
    /// Where traces are exported to by OTLP over HTTP.
    pub otlp_endpoint: Option<Url>,
}

impl Configuration {
    /// What hashing a password costs.
    #[must_use]
    pub fn password_parameters(&self) -> PasswordParameters {
        let usual = PasswordParameters::default();
        PasswordParameters {
            memory_kib: self.password_memory_kib,
            iterations: self.password_iterations,
            lanes: self.password_lanes,
            concurrency: self.password_concurrency.unwrap_or(usual.concurrency),
        }
    }
}

/// Each setting and the variable that overrides it. `NAME_FILE` in place of `NAME` reads the value from a file.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("listen", "TENANTRY_LISTEN"),
    ("metrics_listen", "TENANTRY_METRICS_LISTEN"),
    ("operator_listen", "TENANTRY_OPERATOR_LISTEN"),
    ("operator_url", "TENANTRY_OPERATOR_URL"),
    ("public_url", "TENANTRY_PUBLIC_URL"),
    ("trusted_proxies", "TENANTRY_TRUSTED_PROXIES"),
    ("cors_origins", "TENANTRY_CORS_ORIGINS"),
    ("database_url", "DATABASE_URL"),
    ("database_system_url", "DATABASE_SYSTEM_URL"),
    ("database_direct_url", "DATABASE_DIRECT_URL"),
    ("database_migration_url", "DATABASE_MIGRATION_URL"),
    ("database_connections", "TENANTRY_DATABASE_CONNECTIONS"),
    ("master_key_file", "TENANTRY_MASTER_KEY_FILE"),
    ("stripe_secret_key", "STRIPE_SECRET_KEY"),
    ("stripe_api_base", "TENANTRY_STRIPE_API_BASE"),
    ("stripe_webhook_secrets", "STRIPE_WEBHOOK_SECRETS"),
    ("stripe_poll_events", "TENANTRY_STRIPE_POLL_EVENTS"),
    ("kubeconfig", "TENANTRY_KUBECONFIG"),
    ("helm", "TENANTRY_HELM"),
    ("chart_directory", "TENANTRY_CHART_DIRECTORY"),
    ("tenant_domain", "TENANTRY_TENANT_DOMAIN"),
    ("tenant_scheme", "TENANTRY_TENANT_SCHEME"),
    ("tenant_port", "TENANTRY_TENANT_PORT"),
    ("ingress_class", "TENANTRY_INGRESS_CLASS"),
    ("ingress_namespace", "TENANTRY_INGRESS_NAMESPACE"),
    ("ingress_address", "TENANTRY_INGRESS_ADDRESS"),
    ("smtp_url", "TENANTRY_SMTP_URL"),
    ("mail_from", "TENANTRY_MAIL_FROM"),
    ("operator_email", "TENANTRY_OPERATOR_EMAIL"),
    ("password_memory_kib", "TENANTRY_PASSWORD_MEMORY_KIB"),
    ("password_iterations", "TENANTRY_PASSWORD_ITERATIONS"),
    ("password_lanes", "TENANTRY_PASSWORD_LANES"),
    ("password_concurrency", "TENANTRY_PASSWORD_CONCURRENCY"),
    ("operation_workers", "TENANTRY_OPERATION_WORKERS"),
    ("job_workers", "TENANTRY_JOB_WORKERS"),
    ("audit_checkpoints", "TENANTRY_AUDIT_CHECKPOINTS"),
    ("audit_checkpoint_secs", "TENANTRY_AUDIT_CHECKPOINT_SECS"),
    ("audit_keep_days", "TENANTRY_AUDIT_KEEP_DAYS"),
    ("log", "TENANTRY_LOG"),
    ("log_format", "TENANTRY_LOG_FORMAT"),
    ("otlp_endpoint", "TENANTRY_OTLP_ENDPOINT"),
];

/// Settings that hold several values, separated by commas in a variable.
pub(super) const LISTS: &[&str] = &["trusted_proxies", "cors_origins", "stripe_webhook_secrets"];

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_connections() -> u32 {
    16
}

fn default_helm() -> PathBuf {
    "helm".into()
}

fn default_chart_directory() -> PathBuf {
    "charts".into()
}

fn default_tenant_scheme() -> String {
    "https".into()
}

fn default_ingress_class() -> String {
    "traefik".into()
}

fn default_ingress_namespace() -> String {
    "ingress".into()
}

fn default_password_memory() -> u32 {
    PasswordParameters::default().memory_kib
}

fn default_password_iterations() -> u32 {
    PasswordParameters::default().iterations
}

fn default_password_lanes() -> u32 {
    PasswordParameters::default().lanes
}

fn default_operations() -> usize {
    50
}

fn default_jobs() -> usize {
    16
}

fn default_audit_checkpoint() -> u64 {
    60
}

fn default_audit_keep() -> u32 {
    400
}

fn default_log() -> String {
    "info".into()
}

fn default_log_format() -> LogFormat {
    LogFormat::Json
}
