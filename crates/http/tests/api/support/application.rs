use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use chrono::Utc;
use serde_json::{Value, json};
use tenantry_app::{
    App, Settings,
    accounts::{PasswordHasher, PasswordParameters},
    billing::CatalogStore,
    clock::ManualClock,
    context::Parts,
    mail::SendMail,
    sealing::{MasterKeys, Purpose, Sealer},
};
use tenantry_domain::{
    ids::InstallationId,
    mail::{Mailer, OutgoingMail},
};
use tenantry_http::{AppState, HttpSettings, TrustedProxies, router};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_mail::SmtpMailer;
use tenantry_operations::jobs::{JobRegistry, JobWorker, JobWorkerConfig};
use tenantry_stripe::{StripeClient, StripeConfig};
use tenantry_test_support::{Mailpit, TestDatabase};

use super::{Answer, Browser};

/// Where the application believes to be.
pub(crate) const PUBLIC_URL: &str = "http://tenantry.localhost:8080";
/// Long and unrelated words, so that the strength estimator has nothing to say.
pub(crate) const PASSWORD: &str = "violet tractor hums at noon";

/// One master key.
pub(crate) const MASTER_KEYS: &str = "k1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

/// A port of loopback on which nobody listens: neither cluster nor payment provider is reached by these tests.
const NOBODY: &str = "http://127.0.0.1:9";

/// An application with a database of its own.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    database: TestDatabase,
    router: Router,
    workers: Option<JobWorker>,
    _files: tempfile::TempDir,
}

/// Somebody who has signed up and confirmed.
pub(crate) struct Person {
    pub(crate) browser: Browser,
    pub(crate) email: String,
    pub(crate) session: Value,
}

impl Person {
    /// The organization that came with the account.
    pub(crate) fn organization(&self) -> String {
        self.session["organizations"][0]["id"].as_str().unwrap().to_owned()
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with("smtp://127.0.0.1:9", PUBLIC_URL).await
    }

    /// On another public address.
    pub(crate) async fn start_at(public_url: &str) -> Self {
        Self::start_with("smtp://127.0.0.1:9", public_url).await
    }

    /// With workers that send mail.
    pub(crate) async fn start_with_mail(inbox: &Mailpit) -> Self {
        let mut test = Self::start_with(&inbox.smtp_url, PUBLIC_URL).await;
        let registry = JobRegistry::new().with::<SendMail>().unwrap();
        test.workers = Some(JobWorker::start(
            test.app.database.direct().clone(),
            Arc::new(test.app.clone()),
            Arc::new(registry),
            JobWorkerConfig::default(),
        ));
        test
    }

    async fn start_with(smtp_url: &str, public_url: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let kubeconfig = files.path().join("kubeconfig");
        let cluster = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "none",
            "clusters": [{ "name": "none", "cluster": { "server": NOBODY } }],
            "users": [{ "name": "none", "user": {} }],
            "contexts": [{ "name": "none", "context": { "cluster": "none", "user": "none" } }],
        });
        std::fs::write(&kubeconfig, cluster.to_string()).unwrap();
        let cluster = KubernetesCluster::connect(tenantry_kubernetes::Settings {
            kubeconfig: Some(kubeconfig),
            context: None,
            helm: "helm".into(),
        })
        .await
        .unwrap();
        let stripe = StripeConfig::at(NOBODY.parse().unwrap(), "sk_test_nobody".into()).unwrap();
        let passwords = PasswordParameters {
            memory_kib: 64,
            iterations: 1,
            lanes: 1,
            concurrency: 2,
        };
        let clock = Arc::new(ManualClock::new(Utc::now()));
        let database = TestDatabase::create().await;
        // A crowd of clients shares four connections, on a machine that may be busy.
        let ledger = database
            .database_with(|config| config.acquire_timeout = Duration::from_secs(60))
            .await;
        let installation = InstallationId::from_uuid(uuid::Uuid::now_v7());
        let keys = MasterKeys::parse(MASTER_KEYS).unwrap();
        let app = App::new(Parts {
            sealer: Sealer::unlock(keys, &ledger, installation).await.unwrap(),
            database: ledger,
            payments: Arc::new(StripeClient::new(&stripe).unwrap()),
            cluster: Arc::new(cluster),
            mailer: Arc::new(SmtpMailer::new(&smtp_url.into(), "Tenantry <no-reply@tenantry.localhost>").unwrap()),
            passwords: PasswordHasher::new(passwords).unwrap(),
            catalog: CatalogStore::empty(),
            clock: clock.clone(),
            settings: Settings {
                public_url: public_url.parse().unwrap(),
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
        let router = serve(&app);
        Self {
            app,
            clock,
            database,
            router,
            workers: None,
            _files: files,
        }
    }

    /// Another server on the same ledger takes over, started with these master keys.
    pub(crate) async fn restart_with_keys(&mut self, keys: &str) {
        let old = &self.app;
        let keys = MasterKeys::parse(keys).unwrap();
        let app = App::new(Parts {
            sealer: Sealer::unlock(keys, &old.database, old.settings.installation)
                .await
                .unwrap(),
            database: old.database.clone(),
            payments: old.payments.clone(),
            cluster: old.cluster.clone(),
            mailer: old.mailer.clone(),
            passwords: old.passwords.clone(),
            catalog: old.catalog.clone(),
            clock: old.clock.clone(),
            settings: old.settings.clone(),
        });
        self.router = serve(&app);
        self.app = app;
    }

    /// Somebody with an empty cookie jar.
    pub(crate) fn browser(&self) -> Browser {
        let origin = self.app.settings.public_url.origin().ascii_serialization();
        Browser::new(self.router.clone(), &origin, SocketAddr::from(([203, 0, 113, 7], 4711)))
    }

    /// The same, coming from another address.
    pub(crate) fn browser_from(&self, address: [u8; 4]) -> Browser {
        Browser::new(self.router.clone(), PUBLIC_URL, SocketAddr::from((address, 4711)))
    }

    /// The same application with another way to send mail.
    pub(crate) fn app_with_mailer(&self, mailer: Arc<dyn Mailer>) -> App {
        let app = &self.app;
        App::new(Parts {
            database: app.database.clone(),
            payments: Arc::clone(&app.payments),
            cluster: Arc::clone(&app.cluster),
            mailer,
            sealer: app.sealer.clone(),
            passwords: app.passwords.clone(),
            catalog: app.catalog.clone(),
            clock: self.clock.clone(),
            settings: app.settings.clone(),
        })
    }

    /// The server itself, to be listened for.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Somebody who reaches a listener with settings of its own, from a page of this address.
    pub(crate) fn at_listener(&self, settings: HttpSettings, origin: &str) -> Browser {
        let router = router(AppState::new(self.app.clone(), settings).unwrap());
        Browser::new(router, origin, SocketAddr::from(([203, 0, 113, 7], 4711)))
    }

    /// Somebody who reaches another server on the same database.
    pub(crate) fn replica(&self) -> Browser {
        self.replica_at(PUBLIC_URL)
    }

    /// The same, when that server believes to be elsewhere.
    pub(crate) fn replica_at(&self, public_url: &str) -> Browser {
        self.another_server(public_url).1
    }

    /// Another server on the same database, and somebody who reaches it.
    pub(crate) fn another_server(&self, public_url: &str) -> (App, Browser) {
        let app = &self.app;
        let replica = App::new(Parts {
            database: app.database.clone(),
            payments: Arc::clone(&app.payments),
            cluster: Arc::clone(&app.cluster),
            mailer: Arc::clone(&app.mailer),
            sealer: app.sealer.clone(),
            passwords: app.passwords.clone(),
            catalog: app.catalog.clone(),
            clock: self.clock.clone(),
            settings: Settings {
                public_url: public_url.parse().unwrap(),
                ..app.settings.clone()
            },
        });
        let router = router(AppState::new(replica.clone(), HttpSettings::default()).unwrap());
        let browser = Browser::new(router, public_url, SocketAddr::from(([203, 0, 113, 8], 4711)));
        (replica, browser)
    }

    /// Signs somebody up and confirms by the link in the mail.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let email = format!("{name}@example.org");
        let mut browser = self.browser();
        let answer = self.register(&mut browser, &email).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let session = self.confirm(&mut browser, &self.link_token(&email).await).await;
        assert_eq!(session.status, 200, "{}", session.text());
        Person {
            browser,
            email,
            session: session.json(),
        }
    }

    pub(crate) async fn register(&self, browser: &mut Browser, email: &str) -> Answer {
        let request = json!({
            "email": email, "password": PASSWORD, "name": "Ada Lovelace", "organization_name": "Museum of Examples",
        });
        browser.post("/api/v1/auth/register", &request).await
    }

    pub(crate) async fn confirm(&self, browser: &mut Browser, token: &str) -> Answer {
        let answer = browser
            .post("/api/v1/auth/verify-email", &json!({ "token": token }))
            .await;
        browser.remember_session(&answer);
        answer
    }

    /// Confirms from another browser than the one that signed up.
    pub(crate) async fn confirm_with_password(&self, browser: &mut Browser, token: &str, password: &str) -> Answer {
        let request = json!({ "token": token, "password": password });
        let answer = browser.post("/api/v1/auth/verify-email", &request).await;
        browser.remember_session(&answer);
        answer
    }

    /// The token in the newest confirmation link to an address, taken from the queued mail.
    pub(crate) async fn link_token(&self, email: &str) -> String {
        let mails = self.queued_mails().await;
        let link = mails
            .iter()
            .rev()
            .filter(|mail| mail.to == email)
            .find_map(|mail| match &mail.message {
                tenantry_domain::mail::Message::Confirm { link, .. } => Some(link.clone()),
                _ => None,
            });
        link.unwrap().split_once("#token=").unwrap().1.to_owned()
    }

    /// Every mail that waits to be sent, oldest first.
    pub(crate) async fn queued_mails(&self) -> Vec<OutgoingMail> {
        let mut tx = self.app.database.system("a test reads queued mail").await.unwrap();
        let sealed: Vec<String> =
            sqlx::query_scalar("select payload ->> 'sealed' from jobs where kind = 'mail.send' order by id")
                .fetch_all(&mut tx)
                .await
                .unwrap();
        sealed
            .iter()
            .map(|sealed| serde_json::from_str(&self.app.sealer.open_text(&Purpose::Mail, sealed).unwrap()).unwrap())
            .collect()
    }

    /// The time that the application believes it is.
    pub(crate) fn now(&self) -> chrono::DateTime<Utc> {
        self.app.clock.now()
    }

    /// The step of codes that is shown now.
    pub(crate) fn clock_step(&self) -> i64 {
        self.now().timestamp() / 30
    }

    /// How many rows a query counts, seen by the system role.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let mut tx = self.app.database.system("a test counts rows").await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut tx).await.unwrap()
    }

    /// Does something to the ledger that no endpoint does.
    pub(crate) async fn execute(&self, statement: &'static str) {
        let mut tx = self.app.database.system("a test arranges rows").await.unwrap();
        sqlx::query(statement).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Does something to the schema itself.
    pub(crate) async fn as_owner(&self, statement: &'static str) {
        let mut owner = self.database.owner().await;
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }

    /// Does something to the server that not even the owner may.
    pub(crate) async fn as_superuser(&self, statement: &'static str) {
        let mut superuser = self.database.superuser().await;
        sqlx::raw_sql(statement).execute(&mut superuser).await.unwrap();
    }

    pub(crate) async fn stop(self) {
        if let Some(workers) = self.workers {
            workers.shutdown().await;
        }
        self.app.database.close().await;
    }
}

fn serve(app: &App) -> Router {
    let settings = HttpSettings {
        trusted_proxies: TrustedProxies::parse(["10.0.0.0/8"]).unwrap(),
        ..HttpSettings::default()
    };
    router(AppState::new(app.clone(), settings).unwrap())
}
