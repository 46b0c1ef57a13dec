//! A server that does nothing but keep its log.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tempfile::TempDir;
use tenantry_app::{
    App, Settings,
    accounts::{PasswordHasher, PasswordParameters},
    audit::{self, Act, CheckpointLog},
    billing::CatalogStore,
    clock::ManualClock,
    context::Parts,
    sealing::{MasterKeys, Sealer},
};
use tenantry_domain::{
    audit::{Chain, Finding},
    clock::Clock,
    ids::{OrganizationId, UserId},
    mail::{MailError, Mailer, OutgoingMail},
};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_stripe::{StripeClient, StripeConfig};
use tenantry_test_support::TestDatabase;
use uuid::Uuid;

/// Nobody listens here.
const NOBODY: &str = "http://127.0.0.1:9";
/// By then what is sealed is signed.
pub const SIGNED_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// What a superuser types who does not want to be stopped.
const WITHOUT_TRIGGERS: &str = "set session_replication_role = replica";

pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub test: TestDatabase,
    pub files: TempDir,
}

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
    pub async fn new() -> Self {
        Self::over(TestDatabase::create().await).await
    }

    /// Another server on the same database.
    pub async fn replica(&self) -> Self {
        Self::over(self.test.clone()).await
    }

    async fn over(test: TestDatabase) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = test.database().await;
        let mut tx = database.system("a test").await.unwrap();
        let installation = tenantry_postgres::provisioning::installation::id(&mut tx)
            .await
            .unwrap();
        drop(tx);
        let files = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(Utc::now()));
        let keys = MasterKeys::parse("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let stripe = StripeConfig::at(NOBODY.parse().unwrap(), SecretString::from("sk_test_nobody")).unwrap();
        let app = App::new(Parts {
            sealer: Sealer::unlock(keys, &database, installation).await.unwrap(),
            database,
            payments: Arc::new(StripeClient::new(&stripe).unwrap()),
            cluster: Arc::new(no_cluster(&files).await),
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
                operator_email: None,
                mail_from: "no-reply@tenantry.localhost".to_owned(),
            },
        });
        Self {
            app,
            clock,
            test,
            files,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// An organization with a name and nobody in it.
    pub async fn organization(&self) -> OrganizationId {
        let id = Uuid::now_v7();
        self.tamper(&format!(
            "insert into organizations (id, name) values ('{id}', 'Museum')"
        ))
        .await;
        OrganizationId::from_uuid(id)
    }

    /// Writes acts down in one transaction, a microsecond apart, the last one now.
    pub async fn record(&self, organization: Option<OrganizationId>, user: Option<UserId>, count: i64) {
        let mut tx = self.app.database.system("a test acts").await.unwrap();
        for n in 0..count {
            let mut act = Act::new(
                "member.invited",
                user.map_or("anonymous".to_owned(), |user| user.to_string()),
            )
            .target(format!("inv_{n}"))
            .body(json!({ "n": n, "amount": 1.5 }));
            act = organization.into_iter().fold(act, Act::organization);
            act = user.into_iter().fold(act, Act::user);
            act = act.address(user.map(|_| "192.0.2.7".parse().unwrap()));
            self.clock.advance(TimeDelta::microseconds(1));
            audit::record(&self.app, &mut tx, act).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// An organization with so many sealed rows.
    pub async fn sealed(&self, count: i64) -> OrganizationId {
        let organization = self.organization().await;
        let user = UserId::from_uuid(Uuid::now_v7());
        self.record(Some(organization), Some(user), count).await;
        assert_eq!(audit::seal_log(&self.app).await.unwrap(), count.unsigned_abs());
        organization
    }

    /// Whoever may do anything, and whom no trigger stops.
    pub async fn intruder(&self) -> PgConnection {
        let mut superuser = self.test.superuser().await;
        superuser.execute(WITHOUT_TRIGGERS).await.unwrap();
        superuser
    }

    pub async fn tamper(&self, statements: &str) {
        let mut intruder = self.intruder().await;
        intruder
            .execute(sqlx::raw_sql(AssertSqlSafe(statements.to_owned())))
            .await
            .unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    pub async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut self.test.superuser().await)
            .await
            .unwrap()
    }

    pub async fn unsealed(&self) -> i64 {
        self.count("select count(*) from audit_events where seq is null").await
    }

    /// What is found without checkpoints.
    pub async fn findings(&self) -> Vec<Finding> {
        self.findings_in(None).await
    }

    pub async fn findings_in(&self, chain: Option<Chain>) -> Vec<Finding> {
        let mut found = Vec::new();
        audit::verify_log(&self.app, chain, |finding| found.push(finding), |_| ())
            .await
            .unwrap();
        found
    }

    /// What is found by checkpoints alone, and how many there were.
    pub async fn compare(&self, lines: &[String]) -> (Vec<Finding>, u64) {
        let mut found = Vec::new();
        let lines = lines
            .iter()
            .enumerate()
            .map(|(number, line)| Ok((number.to_string(), line.clone())));
        let counts = audit::verify_checkpoints(&self.app, None, lines, SIGNED_WITHIN, |finding| found.push(finding))
            .await
            .unwrap();
        (found, counts.checkpoints)
    }

    /// Signs what has grown; the lines.
    pub async fn checkpoint(&self) -> Vec<String> {
        let path = self.files.path().join(Uuid::now_v7().to_string());
        let log = CheckpointLog::new(Some(path.clone()), |_| ());
        if audit::write_checkpoints(&self.app, &log).await.unwrap() == 0 {
            return Vec::new();
        }
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// What was said on standard output, by all tests of this program.
pub static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub fn say(line: &str) {
    SAID.lock().unwrap().push(line.to_owned());
}

async fn no_cluster(files: &TempDir) -> KubernetesCluster {
    let kubeconfig = files.path().join("kubeconfig");
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{ "name": "none", "cluster": { "server": NOBODY } }],
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
