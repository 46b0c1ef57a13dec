//! Puts the parts together: the only place that names every adapter.

use std::{sync::Arc, time::Duration};

use tenantry_app::{
    App, Settings,
    accounts::PasswordHasher,
    billing::CatalogStore,
    clock::SystemClock,
    context::Parts,
    error::Fault,
    sealing::{MasterKeys, Sealer},
};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_mail::SmtpMailer;
use tenantry_postgres::{Database, DatabaseConfig, config::PoolSizes, guard::Refusal};
use tenantry_stripe::{StripeClient, StripeConfig};

use crate::{
    config::Configuration,
    exit::{Failure, FailureKind},
};

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The application with its adapters connected.
pub struct Wired {
    /// What use cases are called with.
    pub app: App,
}

impl Wired {
    /// Connects to the database, prepares the adapters, and reads what the ledger says about this installation.
    pub async fn connect(configuration: &Configuration) -> Result<Self, Failure> {
        let database = database(configuration).await?;
        // Before anything is written: an open ledger is not to be used by any command.
        database.refuse_open_doors().await.map_err(refused)?;
        let keys = MasterKeys::from_file(&configuration.master_key_file)
            .map_err(|error| Failure::new(FailureKind::Usage, error))?;
        let stripe = stripe(configuration)?;
        let livemode = stripe.livemode();
        let payments = StripeClient::new(&stripe).map_err(|error| Failure::new(FailureKind::Usage, error))?;
        let mailer = SmtpMailer::new(&configuration.smtp_url, &configuration.mail_from)
            .map_err(|error| Failure::new(FailureKind::Usage, error))?;
        let passwords = PasswordHasher::new(configuration.password_parameters())
            .map_err(|error| Failure::new(FailureKind::Usage, format!("TENANTRY_PASSWORD_…: {error}")))?;
        let installation = bind_installation(&database, livemode).await?;
        let sealer = Sealer::unlock(keys, &database, installation).await.map_err(locked)?;

        let app = App::new(Parts {
            database,
            payments: Arc::new(payments),
            cluster: Arc::new(cluster(configuration).await?),
            mailer: Arc::new(mailer),
            sealer,
            passwords,
            catalog: CatalogStore::empty(),
            clock: Arc::new(SystemClock),
            settings: settings(configuration, installation, livemode),
        });
        app.catalog.reload(&app.database).await.map_err(unavailable)?;
        Ok(Self { app })
    }
}

/// The pools of a running program.
pub async fn database(configuration: &Configuration) -> Result<Database, Failure> {
    let connections = configuration.database_connections;
    Database::connect(&DatabaseConfig {
        app_url: configuration.database_url.clone(),
        system_url: configuration.database_system_url.clone(),
        direct_url: configuration.database_direct_url.clone(),
        pools: PoolSizes {
            app: connections,
            system: connections,
            direct: connections,
        },
        acquire_timeout: ACQUIRE_TIMEOUT,
    })
    .await
    .map_err(unavailable)
}

/// The Kubernetes adapter.
pub async fn cluster(configuration: &Configuration) -> Result<KubernetesCluster, Failure> {
    KubernetesCluster::connect(tenantry_kubernetes::Settings {
        kubeconfig: configuration.kubeconfig.clone(),
        context: None,
        helm: configuration.helm.clone(),
    })
    .await
    .map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// The Stripe adapter's settings.
pub fn stripe(configuration: &Configuration) -> Result<StripeConfig, Failure> {
    let key = configuration.stripe_secret_key.clone();
    let mut stripe = match configuration.stripe_api_base.clone() {
        Some(base) => StripeConfig::at(base, key),
        None => StripeConfig::new(key),
    }
    .map_err(|error| Failure::new(FailureKind::Usage, error))?;
    stripe.webhook_secrets.clone_from(&configuration.stripe_webhook_secrets);
    Ok(stripe)
}

fn settings(
    configuration: &Configuration,
    installation: tenantry_domain::ids::InstallationId,
    livemode: bool,
) -> Settings {
    Settings {
        public_url: configuration.public_url.clone(),
        operator_url: configuration.operator_url.clone(),
        tenant_domain: configuration.tenant_domain.clone(),
        tenant_scheme: configuration.tenant_scheme.clone(),
        tenant_port: configuration.tenant_port,
        ingress_class: configuration.ingress_class.clone(),
        ingress_namespace: configuration.ingress_namespace.clone(),
        ingress_address: configuration.ingress_address,
        chart_directory: configuration.chart_directory.clone(),
        installation,
        livemode,
        operator_email: configuration.operator_email.clone(),
        mail_from: configuration.mail_from.clone(),
    }
}

/// Test money and real money never share a ledger: the first key decides, any other kind is refused.
async fn bind_installation(
    database: &Database,
    livemode: bool,
) -> Result<tenantry_domain::ids::InstallationId, Failure> {
    let mut tx = database
        .system("bind the ledger to test or live money")
        .await
        .map_err(unavailable)?;
    let bound = tenantry_postgres::livemode::bind(&mut tx, livemode)
        .await
        .map_err(unavailable)?;
    let installation = tenantry_postgres::provisioning::installation::id(&mut tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    if bound == livemode {
        return Ok(installation);
    }
    let (kind, other) = if bound { ("live", "test") } else { ("test", "live") };
    Err(Failure::new(
        FailureKind::Refused,
        format!(
            "this database holds {kind} money and STRIPE_SECRET_KEY is a {other} key; \
             give {other} mode a database of its own, or use a {kind} key"
        ),
    ))
}

fn refused(refusal: Refusal) -> Failure {
    let kind = match &refusal {
        Refusal::OpenDoors(_) => FailureKind::Refused,
        Refusal::Database(_) => FailureKind::Unavailable,
    };
    Failure::new(kind, refusal)
}

/// The installation's own secret does not open, or cannot be read.
fn locked(fault: Fault) -> Failure {
    match fault {
        Fault::Database(error) => unavailable(error),
        other => Failure::new(
            FailureKind::Usage,
            format!(
                "{other}. Keep every master key in the file that anything is sealed under; new ones are added below"
            ),
        ),
    }
}

/// What the database said, with what to do about it.
pub fn unavailable(error: tenantry_postgres::DatabaseError) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("{error}. `tenantry doctor` looks closer; `tenantry migrate` may be due"),
    )
}
