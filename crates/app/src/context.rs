//! What every use case is handed: the ledger, the ports to the outside, and the settings of this installation.

use std::{net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc};

use tenantry_domain::{
    billing::PaymentProvider, clock::Clock, ids::InstallationId, mail::Mailer, provisioning::Cluster,
};
use tenantry_postgres::{Database, billing::calls};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::{
    accounts::{KeyRing, PasswordHasher},
    billing::CatalogStore,
    error::Fault,
    notices::Notices,
    provisioning::UsualDurations,
    sealing::Sealer,
};

/// Pictures that are decoded at once; each may take a quarter of a gigabyte for a moment.
const PICTURES_AT_ONCE: usize = 2;
/// Passwords whose strength is estimated at once. They have places of their own, so that whoever types one into a form
/// keeps nobody from signing in.
const ESTIMATES_AT_ONCE: usize = 2;
/// Of these, what people may hold together who have not said who they are: sign-ups and resets find a place whatever they ask.
const ESTIMATES_FOR_ANYBODY: usize = 1;

/// The application. Cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    usual_durations: UsualDurations,
    drawing: Arc<Semaphore>,
    estimating: Arc<Semaphore>,
    estimating_for_anybody: Semaphore,
    key_ring: KeyRing,
    ended_calls: Notices,
}

/// The parts that an [`App`] is made of.
pub struct Parts {
    /// The ledger.
    pub database: Database,
    /// Who takes the money.
    pub payments: Arc<dyn PaymentProvider>,
    /// Where tenants run.
    pub cluster: Arc<dyn Cluster>,
    /// Who delivers mail.
    pub mailer: Arc<dyn Mailer>,
    /// Secrets at rest.
    pub sealer: Sealer,
    /// How passwords are hashed, and how many at once.
    pub passwords: PasswordHasher,
    /// What is sold, as it was applied last.
    pub catalog: CatalogStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// This installation's settings.
    pub settings: Settings,
}

/// Settings that use cases depend on; checked when the server starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach Tenantry: the only source of links, never a request's Host header.
    pub public_url: Url,
    /// Where operators reach their console, where that is not below `public_url`.
    pub operator_url: Option<Url>,
    /// The registrable domain below which tenants live, another one than that of `public_url`.
    pub tenant_domain: String,
    /// `http` or `https`, for links to tenants.
    pub tenant_scheme: String,
    /// The port in links to tenants, where it is not the scheme's own.
    pub tenant_port: Option<u16>,
    /// The ingress class that tenants are published under.
    pub ingress_class: String,
    /// The namespace that the ingress controller runs in; network policies let it in.
    pub ingress_namespace: String,
    /// Where the health probe connects, sending the tenant's host name; by default the host is resolved.
    pub ingress_address: Option<SocketAddr>,
    /// Where charts that the catalog names by a relative path are found.
    pub chart_directory: PathBuf,
    /// Who this installation is, on every object that it makes elsewhere.
    pub installation: InstallationId,
    /// Whether real money moves.
    pub livemode: bool,
    /// Where operators are told that something needs a person.
    pub operator_email: Option<String>,
    /// The sender of mails.
    pub mail_from: String,
}

impl Settings {
    /// The address under which a tenant's host answers.
    #[must_use]
    pub fn tenant_url(&self, host: &str) -> String {
        let port = self.tenant_port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.tenant_scheme)
    }

    /// An absolute link into the web interface. `path` begins with a slash.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// As [`Self::link`], into the operators' console.
    #[must_use]
    pub fn operator_link(&self, path: &str) -> String {
        let url = self.operator_url.as_ref().unwrap_or(&self.public_url);
        format!("{}{path}", url.as_str().trim_end_matches('/'))
    }

    /// How tokens name this installation.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.link("")
    }

    /// The audience of tokens that open the API, and nothing else.
    #[must_use]
    pub fn api_audience(&self) -> String {
        self.link("/api/v1")
    }
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            usual_durations: UsualDurations::default(),
            drawing: Arc::new(Semaphore::new(PICTURES_AT_ONCE)),
            estimating: Arc::new(Semaphore::new(ESTIMATES_AT_ONCE)),
            estimating_for_anybody: Semaphore::new(ESTIMATES_FOR_ANYBODY),
            key_ring: KeyRing::default(),
            ended_calls: Notices::of(calls::ENDED),
        }))
    }

    /// The right to decode a picture, kept while that lasts.
    pub(crate) async fn drawing_permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        // Nobody closes it.
        Arc::clone(&self.0.drawing)
            .acquire_owned()
            .await
            .map_err(|_| Fault::Stopping)
    }

    /// Where everybody queues who wants a password estimated.
    pub(crate) fn estimating(&self) -> &Arc<Semaphore> {
        &self.0.estimating
    }

    /// Where those queue first who may ask for an estimate without saying who they are.
    pub(crate) fn estimating_for_anybody(&self) -> &Semaphore {
        &self.0.estimating_for_anybody
    }

    /// How long steps usually take, as far as it is known.
    pub(crate) fn usual_durations(&self) -> &UsualDurations {
        &self.0.usual_durations
    }

    /// The keys that sign tokens, as far as this process has read them.
    pub(crate) fn key_ring(&self) -> &KeyRing {
        &self.0.key_ring
    }

    /// Tells when a write to the payment provider is in nobody's hand any more.
    pub(crate) fn ended_calls(&self) -> &Notices {
        &self.0.ended_calls
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
