//! A server without its HTTP: database, engine, jobs, watch, and the local cluster.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::types::Json;
use tempfile::TempDir;
use tenantry_app::{
    App, Settings,
    accounts::{PasswordHasher, PasswordParameters},
    billing::CatalogStore,
    clock::ManualClock,
    context::Parts,
    mail::SendMail,
    provisioning::{self, NewTenant, OperationView, ProvisionRequest, Reader, TenantView},
    sealing::{MasterKeys, Sealer},
};
use tenantry_domain::{
    ids::{OperationId, OrganizationId, PlanVersionId, TenantId},
    mail::{MailError, Mailer, OutgoingMail},
    provisioning::{Cluster, TenantState},
};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_operations::{
    Engine, EngineConfig, Registry,
    jobs::{JobRegistry, JobWorker, JobWorkerConfig},
};
use tenantry_postgres::Database;
use tenantry_stripe::{StripeClient, StripeConfig};
use tenantry_test_support::{LocalCluster, TestDatabase, wait_for, wait_for_ok};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::scripted::ScriptedCluster;

/// Long enough for pods on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub mails: Arc<Outbox>,
    pub organization: OrganizationId,
    pub plan: PlanVersionId,
    /// Charts of this test's own: it may break them.
    pub charts: TempDir,
    local: Option<&'static LocalCluster>,
    stop: CancellationToken,
    engine: Option<Engine>,
    jobs: Option<JobWorker>,
    watch: Option<JoinHandle<()>>,
}

#[derive(Default)]
pub struct Outbox(Mutex<Vec<OutgoingMail>>);

impl Outbox {
    pub fn to(&self, address: &str) -> Vec<OutgoingMail> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|mail| mail.to == address)
            .cloned()
            .collect()
    }
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        self.0.lock().unwrap().push(mail.clone());
        Ok(())
    }

    async fn check(&self) -> Result<(), MailError> {
        Ok(())
    }
}

impl World {
    /// With the sample image.
    pub async fn new() -> Self {
        Self::with(|_| {}, None).await
    }

    /// With another definition of the product, or other credentials for the cluster.
    pub async fn with(adjust: impl FnOnce(&mut Value), kubeconfig: Option<PathBuf>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let local = LocalCluster::shared().await;
        let cluster = KubernetesCluster::connect(tenantry_kubernetes::Settings {
            kubeconfig: Some(kubeconfig.unwrap_or_else(|| local.kubeconfig.clone())),
            context: None,
            helm: local.environment["HELM"].clone().into(),
        })
        .await
        .expect("credentials");
        Self::build(adjust, Arc::new(cluster), Some(local), EngineConfig::default()).await
    }

    /// On a cluster that says what it is told to.
    pub async fn scripted(cluster: Arc<ScriptedCluster>, config: EngineConfig) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::build(|_| {}, cluster, None, config).await
    }

    async fn build(
        adjust: impl FnOnce(&mut Value),
        cluster: Arc<dyn Cluster>,
        local: Option<&'static LocalCluster>,
        config: EngineConfig,
    ) -> Self {
        let database = TestDatabase::create().await.database().await;
        let charts = copy_of_charts();
        let mut product = product();
        adjust(&mut product);
        let (organization, plan) = fill(&database, &product).await;
        let mut tx = database.system("a test").await.unwrap();
        let installation = tenantry_postgres::provisioning::installation::id(&mut tx)
            .await
            .unwrap();
        drop(tx);

        let ingress_address = local.map(|local| local.ingress_address);
        let clock = Arc::new(ManualClock::new(Utc::now()));
        let mails = Arc::new(Outbox::default());
        let key = "sk_test_nobody".to_owned();
        let stripe = StripeConfig::at("http://127.0.0.1:9".parse().unwrap(), SecretString::from(key)).unwrap();
        let keys = MasterKeys::parse("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let app = App::new(Parts {
            sealer: Sealer::unlock(keys, &database, installation).await.unwrap(),
            database,
            payments: Arc::new(StripeClient::new(&stripe).unwrap()),
            cluster,
            mailer: mails.clone(),
            passwords: PasswordHasher::new(PasswordParameters::default()).unwrap(),
            catalog: CatalogStore::empty(),
            clock: clock.clone(),
            settings: Settings {
                public_url: "http://localhost:8080".parse().unwrap(),
                operator_url: None,
                tenant_domain: "tenants.localhost".to_owned(),
                tenant_scheme: "http".to_owned(),
                tenant_port: ingress_address.map(|address| address.port()),
                ingress_class: "traefik".to_owned(),
                ingress_namespace: "ingress".to_owned(),
                ingress_address,
                chart_directory: charts.path().to_owned(),
                installation,
                livemode: false,
                operator_email: Some("operator@example.org".to_owned()),
                mail_from: "tenantry@example.org".to_owned(),
            },
        });
        let mut world = Self {
            app,
            clock,
            mails,
            organization,
            plan,
            charts,
            local,
            stop: CancellationToken::new(),
            engine: None,
            jobs: None,
            watch: None,
        };
        world.start(config);
        world
    }

    fn start(&mut self, config: EngineConfig) {
        let (pool, app) = (self.app.database.direct().clone(), Arc::new(self.app.clone()));
        let operations = Arc::new(provisioning::register_operations(Registry::new()).unwrap());
        let jobs = provisioning::register_jobs(JobRegistry::new().with::<SendMail>().unwrap()).unwrap();
        self.engine = Some(Engine::start(pool.clone(), app.clone(), operations, config));
        self.jobs = Some(JobWorker::start(pool, app, Arc::new(jobs), JobWorkerConfig::default()));
        self.watch = Some(tokio::spawn(provisioning::watch_cluster(
            self.app.clone(),
            self.stop.clone(),
        )));
    }

    /// Ends what the engine is at in good order, and nothing more begins.
    pub async fn stop_engine(&mut self) {
        self.engine.take().expect("an engine").shutdown().await;
    }

    /// What is in an operation's log happened so much earlier.
    pub async fn age_log(&self, operation: OperationId, secs: i32) {
        let mut tx = self.app.database.system("a test").await.unwrap();
        sqlx::query("update operation_steps set at = at - make_interval(secs => $2) where operation_id = $1")
            .bind(operation.uuid())
            .bind(f64::from(secs))
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    fn local(&self) -> &'static LocalCluster {
        self.local.expect("a real cluster")
    }

    /// Names a tenant, as starting a checkout does.
    pub async fn name(&self, name: &str) -> TenantId {
        let mut tx = self.app.database.system("a test").await.unwrap();
        let new = NewTenant {
            id: TenantId::from_uuid(Uuid::now_v7()),
            organization: self.organization,
            product: "collection",
            plan_version: self.plan,
            name,
            reserved_until: Some(self.now() + TimeDelta::minutes(30)),
        };
        let tenant = provisioning::create_pending(&mut tx, &self.app, &new).await.unwrap();
        tx.commit().await.unwrap();
        tenant
    }

    /// Names a tenant and has it made.
    pub async fn provision(&self, name: &str) -> (TenantId, OperationId) {
        let request = ProvisionRequest {
            id: TenantId::from_uuid(Uuid::now_v7()),
            organization: self.organization,
            product: "collection",
            plan: "starter",
            name,
        };
        provisioning::provision_for_operator(&self.app, &request, "a test", None)
            .await
            .unwrap()
    }

    pub fn now(&self) -> chrono::DateTime<Utc> {
        use tenantry_domain::clock::Clock;
        self.clock.now()
    }

    pub async fn tenant(&self, id: TenantId) -> TenantView {
        provisioning::find_tenant(&self.app, Reader::Organization(self.organization), id)
            .await
            .unwrap()
            .expect("the tenant")
    }

    pub async fn operation(&self, id: OperationId) -> OperationView {
        provisioning::find_operation(&self.app, Reader::Organization(self.organization), id)
            .await
            .unwrap()
            .expect("the operation")
    }

    /// Waits until the operation is in one of these states.
    pub async fn until(&self, id: OperationId, states: &[&str]) -> OperationView {
        wait_for_ok(&format!("operation {id} in {states:?}"), PATIENCE, async || {
            let view = self.operation(id).await;
            if states.contains(&view.state.as_str()) {
                Ok(view)
            } else {
                Err(view)
            }
        })
        .await
    }

    pub async fn until_tenant(&self, id: TenantId, state: TenantState) -> TenantView {
        wait_for(&format!("tenant {state}"), PATIENCE, async || {
            let view = self.tenant(id).await;
            (view.state == state).then_some(view)
        })
        .await
    }

    /// A request from outside, over a new connection.
    pub async fn answer(&self, tenant: &TenantView) -> u16 {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut connection = tokio::net::TcpStream::connect(self.local().ingress_address)
            .await
            .unwrap();
        let host = tenant.host.as_deref().unwrap_or("nobody");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status")
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn try_kubectl(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(&self.local().environment["KUBECTL"])
            .env_clear()
            .env("KUBECONFIG", &self.local().kubeconfig)
            .env("KUBECACHEDIR", std::env::temp_dir().join("tenantry-kubectl"))
            .args(arguments)
            .output()
            .expect("kubectl")
    }

    pub fn namespace_exists(&self, tenant: &TenantView) -> bool {
        self.try_kubectl(&["get", "namespace", &tenant.namespace])
            .status
            .success()
    }

    pub async fn sealed_secrets(&self, tenant: TenantId) -> usize {
        let mut tx = self.app.database.system("a test").await.unwrap();
        tenantry_postgres::sealed_secrets::list(&mut tx, "tenant", tenant.uuid())
            .await
            .unwrap()
            .len()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        drop(self.engine.take());
        drop(self.jobs.take());
        if self.local.is_none() {
            return;
        }
        let ours = format!("tenantry.dev/installation={}", self.app.settings.installation);
        self.try_kubectl(&["delete", "namespace", "--selector", &ours, "--wait=false"]);
    }
}

fn copy_of_charts() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let charts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../charts/tenant");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(charts)
        .arg(copy.path().join("tenant"))
        .status()
        .unwrap();
    assert!(copied.success());
    copy
}

fn product() -> Value {
    json!({
        "key": "collection",
        "name": "Collection",
        "delivery": "dedicated",
        "chart": {"path": "tenant"},
        "image": {"repository": "localhost/collection", "tag": "1"},
        "port": 8080,
        "secrets": [{"name": "session", "keys": ["SESSION_KEY"]}],
        "values": {
            "env": {"TENANT_NAME": "{{ tenant.name }}", "TENANT_ORGANIZATION": "{{ organization.name }}"},
            "secretEnv": [{"name": "SESSION_KEY", "secret": "session", "key": "SESSION_KEY"}],
        },
        "plans": [],
    })
}

/// A customer, and what is sold.
async fn fill(database: &Database, product: &Value) -> (OrganizationId, PlanVersionId) {
    let (user, organization, plan) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let mut tx = database.system("a test").await.unwrap();
    sqlx::query(
        "insert into users (id, email_normalized, name, verified_at) values ($1, 'owner@example.org', 'O', now())",
    )
    .bind(user)
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query("insert into organizations (id, name) values ($1, $2)")
        .bind(organization)
        .bind("\"; {{ x }}")
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query("insert into memberships (organization_id, user_id, role) values ($1, $2, 'owner')")
        .bind(organization)
        .bind(user)
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query("insert into products (key, delivery, definition) values ('collection', 'dedicated', $1)")
        .bind(Json(product))
        .execute(&mut tx)
        .await
        .unwrap();
    let terms = json!({
        "name": "Starter",
        "quota": {"cpu": "500m", "memory": "256Mi", "cpu_reserved": "20m", "memory_reserved": "32Mi", "pods": 4},
    });
    sqlx::query(
        "insert into plan_versions (id, product, plan, version, definition) values ($1, 'collection', 'starter', 1, $2)",
    )
    .bind(plan)
    .bind(Json(terms))
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    (OrganizationId::from_uuid(organization), PlanVersionId::from_uuid(plan))
}
