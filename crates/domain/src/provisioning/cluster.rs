//! The cluster port: what provisioning asks of Kubernetes and Helm, one call a step.
//!
//! Every call may be made twice, and none touches a thing that is not labelled as ours.

use std::{any::Any, collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::{Placement, Quota, workload::Egress};
use crate::ids::{InstallationId, OperationId, TenantId};

mod error;

pub use error::{ClusterError, Remedy};

/// A Kubernetes cluster with Helm and an ingress.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Makes the namespace, or takes up one that this tenant's earlier operation left.
    async fn apply_namespace(&self, placement: &Placement) -> Result<NamespaceApplied, ClusterError>;

    /// Denies all traffic, then opens what is needed.
    async fn apply_network_policies(&self, placement: &Placement, openings: &Openings) -> Result<(), ClusterError>;

    /// Writes quota and limit range.
    async fn apply_quota(&self, placement: &Placement, quota: &Quota) -> Result<(), ClusterError>;

    /// Whether the quota written by [`Cluster::apply_quota`] is enforced: until the cluster has said so, it admits all.
    async fn quota_in_force(&self, placement: &Placement) -> Result<bool, ClusterError>;

    /// Makes the account that the tenant's pods run under. It can do nothing, and no token is mounted.
    async fn apply_service_account(&self, placement: &Placement) -> Result<(), ClusterError>;

    /// Writes one Secret.
    async fn apply_secret(&self, placement: &Placement, secret: &TenantSecret) -> Result<(), ClusterError>;

    /// Waits until Helm may be run: no more of it run at once than the machine has processors for. It is taken before
    /// the call, since a fence's answer does not outlast a wait.
    async fn helm_turn(&self) -> HelmTurn;

    /// Installs or upgrades the Helm release and returns without waiting for its pods. The fence is asked before each run
    /// of Helm, since mending what a killed one left may uninstall it.
    async fn apply_release(
        &self,
        placement: &Placement,
        release: &ReleaseRequest,
        turn: HelmTurn,
        fence: &dyn Fence,
    ) -> Result<(), ClusterError>;

    /// Whether the release's workloads run, and if not, what is in the way.
    async fn readiness(&self, placement: &Placement) -> Result<Readiness, ClusterError>;

    /// Asks the tenant through the ingress, as a browser would.
    async fn probe(&self, probe: &Probe) -> Result<ProbeAnswer, ClusterError>;

    /// Uninstalls the Helm release and asks every pod of the namespace to end. Fine when there is none. Pods take their
    /// time: see [`Cluster::is_idle`].
    async fn remove_release(
        &self,
        placement: &Placement,
        turn: HelmTurn,
        fence: &dyn Fence,
    ) -> Result<(), ClusterError>;

    /// Whether nothing runs in the tenant's namespace any more, so that nothing needs its policies and bounds.
    async fn is_idle(&self, placement: &Placement) -> Result<bool, ClusterError>;

    /// Removes what one of the `apply_…` calls made. Fine when there is none. What was written since the fence was asked
    /// stays.
    async fn remove(&self, placement: &Placement, part: Part, fence: &dyn Fence) -> Result<(), ClusterError>;

    /// Asks for the namespace to be removed. Fine when there is none; refused when it is not this tenant's. One that was
    /// written since the fence was asked stays.
    async fn remove_namespace(&self, placement: &Placement, fence: &dyn Fence) -> Result<(), ClusterError>;

    /// Whether nothing of the namespace is left.
    async fn namespace_gone(&self, placement: &Placement) -> Result<bool, ClusterError>;

    /// Every namespace labelled as of this installation.
    async fn owned_namespaces(&self, installation: InstallationId) -> Result<Vec<OwnedNamespace>, ClusterError>;

    /// Runs for ever, telling of each tenant whose workloads or quota have just changed in a way that a waiting
    /// operation may have waited for. Reconnects by itself; ends only with an error that waiting does not mend.
    async fn watch(&self, installation: InstallationId, changed: OnChange) -> Result<(), ClusterError>;

    /// Version of the API server, such as `v1.36.3`.
    async fn version(&self) -> Result<String, ClusterError>;

    /// Every right that Tenantry uses, and whether it has it.
    async fn check_rights(&self) -> Result<Vec<Right>, ClusterError>;

    /// Whether an ingress class of that name exists.
    async fn ingress_class_exists(&self, name: &str) -> Result<bool, ClusterError>;

    /// Version of the helm program, such as `v4.2.4`.
    async fn helm_version(&self) -> Result<String, ClusterError>;

    /// Whether helm, which logs in by itself, gets into the cluster and may read its own records.
    async fn helm_reaches_cluster(&self) -> Result<(), ClusterError>;
}

/// Whether the one who asked for an act may still do it. An adapter asks after its last look and right before the act: a
/// worker that was paused in between must not take away what others have made meanwhile.
#[async_trait]
pub trait Fence: Send + Sync {
    /// Fine as long as the act is still the caller's; [`ClusterError::Superseded`] when somebody else has taken over.
    async fn check(&self) -> Result<(), ClusterError>;
}

/// The fence of acts that no lease guards, because nobody else would do them.
#[derive(Debug, Clone, Copy)]
pub struct Unfenced;

#[async_trait]
impl Fence for Unfenced {
    async fn check(&self) -> Result<(), ClusterError> {
        Ok(())
    }
}

/// Called with each tenant that has changed in the cluster. Must return at once.
pub type OnChange = Arc<dyn Fn(TenantId, Noticed) + Send + Sync>;

/// What a watch saw of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// Something that an operation may wait for: a quota in force, a workload available or gone, a pod that cannot start
    /// or has ended.
    Progress,
    /// Its namespace has gone.
    NamespaceGone,
}

/// What was found where the namespace was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceApplied {
    /// Nothing, or what an earlier attempt of the same operation made.
    Created,
    /// The tenant's own, made by an earlier operation.
    TakenUp,
}

/// What passes the default-deny network policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Openings {
    /// The product's port, open to the ingress controller.
    pub product_port: u16,
    /// Where the ingress controller runs.
    pub ingress_namespace: String,
    /// What the product's pods may connect to, besides DNS.
    pub egress: Vec<Egress>,
}

/// A Secret to be written. Its values never reach Helm, logs or errors.
#[derive(Debug, Clone)]
pub struct TenantSecret {
    /// Name of the object.
    pub name: String,
    /// Key and value.
    pub entries: BTreeMap<String, SecretString>,
}

/// Leave to run Helm once, given back when it is dropped.
pub struct HelmTurn {
    _held: Box<dyn Any + Send + Sync>,
}

impl HelmTurn {
    /// A turn for as long as `held` is kept.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for HelmTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HelmTurn")
    }
}

/// A release to be installed or upgraded.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// Directory of the chart.
    pub chart: PathBuf,
    /// All values. No secrets: the chart receives the names of Secrets.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// Whether a release's workloads run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// As many pods of the newest generation are available as were asked for.
    Ready,
    /// Not yet.
    Waiting(Obstacle),
}

/// What a workload waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Stable, for programs, such as `image_cannot_be_pulled`.
    pub code: &'static str,
    /// As the cluster said it, for operators: it may name machines, registries, images.
    pub detail: String,
    /// Whether it seldom passes by itself: waiting for it is given up sooner.
    pub stubborn: bool,
}

/// A request through the ingress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Where to connect; `None` looks the host up, as a browser would.
    pub address: Option<SocketAddr>,
    /// `http` or `https`.
    pub scheme: String,
    /// Port of the tenant's URL when not the scheme's own.
    pub port: Option<u16>,
    /// Sent as the host name.
    pub host: String,
    /// Path to ask for.
    pub path: String,
    /// How long to wait for the answer.
    pub timeout: Duration,
}

/// What a probe heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// A 2xx answer.
    Healthy,
    /// Another answer.
    Status(u16),
    /// None.
    NoAnswer(String),
}

/// What a step made inside the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All network policies of ours.
    NetworkPolicies,
    /// Quota and limit range.
    Quota,
    /// The pods' account.
    ServiceAccount,
    /// All Secrets of ours.
    Secrets,
}

/// A namespace of this installation, as its labels tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedNamespace {
    /// Its name.
    pub name: String,
    /// The tenant that it is labelled with; `None` when that label is missing or unreadable.
    pub tenant: Option<TenantId>,
    /// The operation that wrote it last.
    pub operation: Option<OperationId>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Whether it is already being removed.
    pub terminating: bool,
    /// Whether a labelled workload is in it. A chart may leave the label out, so *no* is a reason to look closer.
    pub has_workload: bool,
}

/// One right that Tenantry uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// As in RBAC: `get`, `patch`, …
    pub verb: &'static str,
    /// API group; empty for the core one.
    pub group: &'static str,
    /// Plural name, such as `namespaces`.
    pub resource: &'static str,
    /// Whether the cluster grants it.
    pub granted: bool,
}
