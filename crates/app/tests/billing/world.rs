//! A server without its HTTP and without a cluster: database, jobs, and a Stripe of its own.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_app::{
    App, Settings,
    accounts::{PasswordHasher, PasswordParameters},
    billing::{
        self, CatalogStore,
        catalog::Webhook,
        checkout::{
            self, CheckoutView,
            begin::{BeginCheckout, BeginError},
        },
        inbox::{self, Receipt},
    },
    clock::ManualClock,
    context::Parts,
    sealing::{MasterKeys, Purpose, Sealer},
};
use tenantry_domain::{
    billing::provider::ProviderEvent,
    ids::{CheckoutId, OrganizationId},
    mail::{MailError, Mailer, OutgoingMail},
};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_operations::jobs::{JobRegistry, JobWorker, JobWorkerConfig};
use tenantry_stripe::{StripeClient, StripeConfig, sign};
use tenantry_test_support::{StripeStandIn, TestDatabase, wait_for};
use uuid::Uuid;

use crate::gate::Gate;

pub const STARTER: &str = "collection_starter_month_eur";
pub const CATALOG: &str = include_str!("../../../../examples/collection/catalog.yaml");
const SECRET: &str = "whsec_of_these_tests";
/// Nobody listens here.
const NOBODY: &str = "http://127.0.0.1:9";
const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub stripe: StripeStandIn,
    pub organization: OrganizationId,
    database: TestDatabase,
    jobs: Option<JobWorker>,
    _files: TempDir,
}

/// Nothing here sends mail.
struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: &OutgoingMail) -> Result<(), MailError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), MailError> {
        Ok(())
    }
}

impl World {
    /// With the sample catalog applied.
    pub async fn new() -> Self {
        let world = Self::without_catalog().await;
        billing::catalog::apply(&world.app, CATALOG, Webhook::LeaveAlone, "a test")
            .await
            .unwrap();
        world
    }

    pub async fn without_catalog() -> Self {
        let stripe = StripeStandIn::start().await;
        let url = stripe.url.clone();
        Self::calling(stripe, &url, NOBODY).await
    }

    /// With a gate before Stripe, and one where a cluster should be.
    pub async fn behind_gates() -> (Self, Gate, Gate) {
        let stripe = StripeStandIn::start().await;
        let address = stripe.url.trim_start_matches("http://").to_owned();
        let (to_stripe, to_cluster) = (Gate::before(Some(address)).await, Gate::before(None).await);
        let world = Self::calling(stripe, &to_stripe.url, &to_cluster.url).await;
        for gate in [&to_stripe, &to_cluster] {
            gate.watch(world.database.superuser().await).await;
        }
        (world, to_stripe, to_cluster)
    }

    async fn calling(stripe: StripeStandIn, stripe_url: &str, cluster_url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let test = TestDatabase::create().await;
        let database = test.database().await;
        let organization = organization(&database, "owner@example.org").await;
        let mut tx = database.system("a test").await.unwrap();
        let installation = tenantry_postgres::provisioning::installation::id(&mut tx)
            .await
            .unwrap();
        drop(tx);
        let mut config =
            StripeConfig::at(stripe_url.parse().unwrap(), SecretString::from(stripe.api_key.clone())).unwrap();
        config.webhook_secrets = vec![SecretString::from(SECRET.to_owned())];
        config.timeout = Duration::from_secs(2);
        let files = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Utc::now()));
        let keys = MasterKeys::parse("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let app = App::new(Parts {
            sealer: Sealer::unlock(keys, &database, installation).await.unwrap(),
            database,
            payments: Arc::new(StripeClient::new(&config).unwrap()),
            cluster: Arc::new(cluster(&files, cluster_url).await),
            mailer: Arc::new(NoMail),
            passwords: PasswordHasher::new(PasswordParameters::default()).unwrap(),
            catalog: CatalogStore::empty(),
            clock: clock.clone(),
            settings: Settings {
                public_url: "http://localhost:8080".parse().unwrap(),
                operator_url: None,
                tenant_domain: "tenants.localhost".to_owned(),
                tenant_scheme: "http".to_owned(),
                tenant_port: None,
                ingress_class: "traefik".to_owned(),
                ingress_namespace: "ingress".to_owned(),
                ingress_address: None,
                chart_directory: files.path().to_owned(),
                installation,
                livemode: false,
                operator_email: Some("operator@example.org".to_owned()),
                mail_from: "no-reply@tenantry.localhost".to_owned(),
            },
        });
        Self {
            app,
            clock,
            stripe,
            organization,
            database: test,
            jobs: None,
            _files: files,
        }
    }

    /// Starts a worker; before that, jobs only wait.
    pub fn start_jobs(&mut self) {
        let registry = billing::register_jobs(JobRegistry::new()).unwrap();
        self.jobs = Some(JobWorker::start(
            self.app.database.direct().clone(),
            Arc::new(self.app.clone()),
            Arc::new(registry),
            JobWorkerConfig::default(),
        ));
    }

    /// Presses *Buy*.
    pub async fn begin(&self, name: &str) -> Result<CheckoutId, BeginError> {
        self.begin_for(self.organization, name).await
    }

    pub async fn begin_for(&self, organization: OrganizationId, name: &str) -> Result<CheckoutId, BeginError> {
        let wish = BeginCheckout {
            id: CheckoutId::from_uuid(Uuid::now_v7()),
            organization,
            slug: "museum",
            user: None,
            price: STARTER,
            tenant_name: name,
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        };
        checkout::begin::begin(&self.app, &wish).await
    }

    pub async fn another_organization(&self) -> OrganizationId {
        organization(&self.app.database, "other@example.org").await
    }

    pub async fn checkout(&self, id: CheckoutId) -> CheckoutView {
        checkout::get(&self.app, self.organization, id).await.unwrap()
    }

    /// The payment page of a checkout.
    pub async fn session(&self, id: CheckoutId) -> String {
        let mut tx = self.app.database.system("a test").await.unwrap();
        sqlx::query_scalar("select stripe_session_id from checkouts where id = $1")
            .bind(id.uuid())
            .fetch_one(&mut tx)
            .await
            .unwrap()
    }

    /// Pays on the page of a checkout.
    pub async fn pay(&self, id: CheckoutId) {
        let session = self.session(id).await;
        self.control(&format!("checkout/sessions/{session}/complete"), json!({}))
            .await;
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_control/{path}", self.stripe.url);
        let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap_or(Value::Null)
    }

    /// Has the next calls go wrong.
    pub async fn fault(&self, method: &str, path: &str, failure: Value, when: &str, count: u32) {
        let fault = json!({"method": method, "path": path, "failure": failure, "when": when, "count": count});
        self.control("faults", fault).await;
    }

    /// All events that Stripe has, oldest first.
    pub async fn events(&self) -> Vec<ProviderEvent> {
        self.app
            .payments
            .list_events(Utc::now() - TimeDelta::hours(48), 10_000)
            .await
            .unwrap()
    }

    pub async fn deliver(&self, event: &ProviderEvent) -> Receipt {
        let body = event.payload.as_bytes();
        let header = sign(body, &SecretString::from(SECRET.to_owned()), self.clock_now());
        inbox::receive(&self.app, body, Some(&header), None).await.unwrap()
    }

    pub fn clock_now(&self) -> chrono::DateTime<Utc> {
        tenantry_domain::clock::Clock::now(self.clock.as_ref())
    }

    /// Waits until no event waits to be looked at.
    pub async fn settled(&self) {
        wait_for("the inbox to be settled", PATIENCE, async || {
            let waiting = self
                .count(
                    "select (select count(*) from stripe_events where state = 'received') + (select count(*) from jobs \
                     where kind in ('stripe.apply', 'stripe.cancel') and state in ('queued', 'running'))",
                )
                .await;
            (waiting == 0).then_some(())
        })
        .await;
    }

    /// Waits until no job of this kind is due.
    pub async fn wait_for_jobs(&self, kind: &str) {
        wait_for("jobs to end", PATIENCE, async || {
            let mut tx = self.app.database.system("a test waits for jobs").await.unwrap();
            let due: i64 = sqlx::query_scalar(
                "select count(*) from jobs where kind = $1 and state in ('queued', 'running') \
                     and run_at < now() + interval '5 minutes'",
            )
            .bind(kind)
            .fetch_one(&mut tx)
            .await
            .unwrap();
            (due == 0).then_some(())
        })
        .await;
    }

    /// How many rows a query counts.
    pub async fn count(&self, query: &'static str) -> i64 {
        let mut tx = self.app.database.system("a test counts rows").await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut tx).await.unwrap()
    }

    /// Every mail that was queued, oldest first. Nobody sends them here.
    pub async fn queued_mails(&self) -> Vec<OutgoingMail> {
        let mut tx = self.app.database.system("a test reads queued mail").await.unwrap();
        let sealed: Vec<String> =
            sqlx::query_scalar("select payload ->> 'sealed' from jobs where kind = 'mail.send' order by id")
                .fetch_all(&mut tx)
                .await
                .unwrap();
        let open = |sealed: &String| self.app.sealer.open_text(&Purpose::Mail, sealed).unwrap();
        sealed
            .iter()
            .map(|sealed| serde_json::from_str(&open(sealed)).unwrap())
            .collect()
    }

    /// Does something to the ledger that no use case does.
    pub async fn execute(&self, statement: &'static str) {
        let mut tx = self.app.database.system("a test arranges rows").await.unwrap();
        sqlx::query(statement).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn text(&self, query: &'static str) -> Option<String> {
        let mut tx = self.app.database.system("a test reads a value").await.unwrap();
        sqlx::query_scalar(query).fetch_optional(&mut tx).await.unwrap()
    }

    /// One contract, one tenant that is paid for, one operation that makes it.
    pub async fn assert_bought_once(&self) {
        assert_eq!(self.count("select count(*) from subscriptions").await, 1, "contracts");
        assert_eq!(
            self.count("select count(*) from operations where kind = 'provision'")
                .await,
            1,
            "operations"
        );
        assert_eq!(
            self.count("select count(*) from tenants where subscription_id is not null and state <> 'deleted'")
                .await,
            1,
            "tenants"
        );
        assert_eq!(
            self.count("select count(*) from entitlements where access = 'full'")
                .await,
            1,
            "entitlements"
        );
        assert_eq!(
            self.count("select count(*) from domains where reserved_until is null")
                .await,
            1,
            "domains"
        );
    }

    pub async fn stop(mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.shutdown().await;
        }
        self.app.database.close().await;
    }
}

async fn organization(database: &tenantry_postgres::Database, email: &str) -> OrganizationId {
    let (user, organization) = (Uuid::now_v7(), Uuid::now_v7());
    let mut tx = database.system("a test").await.unwrap();
    sqlx::query("insert into users (id, email_normalized, name, verified_at) values ($1, $2, 'O', now())")
        .bind(user)
        .bind(email)
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query("insert into organizations (id, name) values ($1, $2)")
        .bind(organization)
        .bind("\"; {{ x }} 🦖")
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query("insert into memberships (organization_id, user_id, role) values ($1, $2, 'owner')")
        .bind(organization)
        .bind(user)
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query("insert into clusters (id, name) values ($1, 'default') on conflict do nothing")
        .bind(Uuid::now_v7())
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    OrganizationId::from_uuid(organization)
}

async fn cluster(files: &TempDir, url: &str) -> KubernetesCluster {
    let kubeconfig = files.path().join("kubeconfig");
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{ "name": "none", "cluster": { "server": url } }],
        "users": [{ "name": "none", "user": {} }],
        "contexts": [{ "name": "none", "context": { "cluster": "none", "user": "none" } }],
    });
    std::fs::write(&kubeconfig, content.to_string()).unwrap();
    let settings = tenantry_kubernetes::Settings {
        kubeconfig: Some(kubeconfig),
        context: None,
        helm: "helm".into(),
    };
    KubernetesCluster::connect(settings).await.unwrap()
}
