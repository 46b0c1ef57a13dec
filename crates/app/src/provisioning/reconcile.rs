//! The cluster compared with the ledger: a namespace or release that somebody took away is made again, a namespace that
//! nobody wants any more goes.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    ids::{InstallationId, OperationId, OrganizationId, TenantId},
    provisioning::{
        Cluster, ClusterError, Placement,
        cluster::{OwnedNamespace, Readiness, Unfenced},
        convergence::Observed,
        identifiers,
    },
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, NewJob};
use tenantry_postgres::{
    Database, DatabaseError,
    provisioning::{
        installation,
        tenants::{self, Expectation},
    },
};
use uuid::Uuid;

use super::{converge::converge, start::StartError};
use crate::{App, error::Fault};

/// What was made this recently may belong to an operation that has just ended.
const TOO_YOUNG: TimeDelta = TimeDelta::minutes(2);

/// Compares everything.
#[derive(Debug)]
pub struct ReconcileCluster;

/// There is one cluster, so there is nothing to say.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Payload {}

/// What a comparison found, and did unless it was a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Tenants that should run and have no namespace, or nothing that runs in it: an operation was queued.
    pub missing: Vec<TenantId>,
    /// Namespaces of tenants that are gone: removed.
    pub orphans: Vec<String>,
    /// Namespaces with our label whose tenant the ledger has never known: left alone, and kept in the ledger for the
    /// operators' overview.
    pub unknown: Vec<String>,
    /// What could not be mended; the next comparison tries again.
    pub unmended: Vec<Unmended>,
}

/// A namespace that could not be made right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmended {
    /// Its name.
    pub namespace: String,
    /// For the operator.
    pub reason: String,
}

impl Unmended {
    fn new(namespace: &str, reason: &impl ToString) -> Self {
        Self {
            namespace: namespace.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Why a comparison was not finished.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// An operation could not be queued.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for ReconcileError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// Asks for a comparison: by a timer, and when a watch sees a namespace go that nobody of ours removed.
///
/// # Errors
/// When the ledger does not answer.
pub async fn schedule_reconciliation(app: &App) -> Result<(), Fault> {
    let mut tx = app.database.system("plan a comparison of the cluster").await?;
    let job = NewJob::of::<ReconcileCluster>(&Payload {})?.unique_key(ReconcileCluster::KIND);
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(tx.commit().await?)
}

#[async_trait]
impl Job for ReconcileCluster {
    const KIND: &'static str = "reconcile.cluster";
    type Context = App;
    type Payload = Payload;

    async fn run(cx: &JobContext<App>, _payload: Payload) -> Result<(), JobError> {
        let app = cx.context();
        cx.fence().await?;
        match reconcile_cluster(app, false).await {
            Ok(found) if found == Reconciliation::default() => {}
            Ok(found) if found.unmended.is_empty() => tracing::info!(?found, "the cluster differed from the ledger"),
            Ok(found) => tracing::warn!(
                ?found,
                "the cluster differs from the ledger, and not all of it could be mended"
            ),
            // The next one comes anyway; while the cluster is away there is nothing to compare.
            Err(error) => tracing::warn!(%error, "the cluster could not be compared with the ledger"),
        }
        Ok(())
    }
}

/// What ledger and cluster say, side by side.
struct Picture {
    expected: Vec<Expectation>,
    owned: Vec<OwnedNamespace>,
    deleted: HashSet<TenantId>,
}

impl Picture {
    async fn take(
        database: &Database,
        cluster: &dyn Cluster,
        installation: InstallationId,
    ) -> Result<Self, ReconcileError> {
        // The ledger first: what appears meanwhile is then taken for neither missing nor unwanted.
        let mut tx = database.read_system("compare the cluster with the ledger").await?;
        let expected = tenants::expectations(&mut tx).await?;
        tx.commit().await?;
        let owned = cluster.owned_namespaces(installation).await?;
        let labelled: Vec<TenantId> = owned.iter().filter_map(|namespace| namespace.tenant).collect();
        let mut tx = database.read_system("find tenants by what the cluster shows").await?;
        let deleted = tenants::deleted_among(&mut tx, &labelled).await?.into_iter().collect();
        tx.commit().await?;
        Ok(Self {
            expected,
            owned,
            deleted,
        })
    }

    /// Namespaces of no tenant that is there: of one that is gone, or of none that the ledger has ever known. A ledger that
    /// was restored from an older copy does not know its youngest tenants.
    fn strays(&self) -> (Vec<(TenantId, &OwnedNamespace)>, Vec<String>) {
        let known: HashSet<TenantId> = self.expected.iter().map(|tenant| tenant.id).collect();
        let (mut orphans, mut unknown) = (Vec::new(), Vec::new());
        for namespace in &self.owned {
            match namespace.tenant {
                Some(tenant) if known.contains(&tenant) => {}
                Some(tenant) if self.deleted.contains(&tenant) => orphans.push((tenant, namespace)),
                _ => unknown.push(namespace.name.clone()),
            }
        }
        (orphans, unknown)
    }
}

/// Namespaces with our label that belong to no tenant which the ledger has ever known: for a person to look at.
///
/// # Errors
/// When cluster or ledger do not answer.
pub async fn unknown_namespaces(
    database: &Database,
    cluster: &dyn Cluster,
    installation: InstallationId,
) -> Result<Vec<String>, ReconcileError> {
    Ok(Picture::take(database, cluster, installation).await?.strays().1)
}

/// Compares the cluster with the ledger and mends what differs. A dry run only tells. What cannot be mended keeps nothing
/// else from being.
///
/// # Errors
/// When cluster or ledger do not answer.
pub async fn reconcile_cluster(app: &App, dry_run: bool) -> Result<Reconciliation, ReconcileError> {
    let picture = Picture::take(&app.database, app.cluster.as_ref(), app.settings.installation).await?;
    let (orphans, mut unknown) = picture.strays();
    unknown.sort();
    if !dry_run {
        let mut tx = app.database.system("keep which namespaces nobody knows").await?;
        installation::set_unknown_namespaces(&mut tx, &unknown).await?;
        tx.commit().await?;
    }
    let mut found = Reconciliation {
        unknown,
        ..Reconciliation::default()
    };
    let present: HashMap<String, bool> = picture
        .owned
        .iter()
        .filter(|namespace| !namespace.terminating)
        .map(|namespace| (namespace.name.clone(), namespace.has_workload))
        .collect();
    for tenant in &picture.expected {
        match mend(app, tenant, &present, dry_run).await {
            Ok(true) => found.missing.push(tenant.id),
            Ok(false) => {}
            Err(error) => found.unmended.push(Unmended::new(&tenant.namespace, &error)),
        }
    }
    let now = app.clock.now();
    for (tenant, namespace) in orphans {
        let is_young = namespace.created_at.is_none_or(|made| now - made < TOO_YOUNG);
        if namespace.terminating || is_young {
            continue;
        }
        if !dry_run {
            let placement = placement_of(app, tenant, namespace.name.clone(), namespace.operation);
            if let Err(error) = app.cluster.remove_namespace(&placement, &Unfenced).await {
                found.unmended.push(Unmended::new(&namespace.name, &error));
                continue;
            }
        }
        found.orphans.push(namespace.name.clone());
    }
    Ok(found)
}

/// Has a tenant made again that should be there and is not; whether it is so.
async fn mend(
    app: &App,
    tenant: &Expectation,
    present: &HashMap<String, bool>,
    dry_run: bool,
) -> Result<bool, ReconcileError> {
    let is_missing = tenant.is_missing(observe(app, tenant, present).await?);
    if is_missing && !dry_run {
        converge(app, tenant.id, Observed::Missing, None).await?;
    }
    Ok(is_missing)
}

/// Whether the tenant's namespace is there and something runs in it.
async fn observe(app: &App, tenant: &Expectation, present: &HashMap<String, bool>) -> Result<Observed, ClusterError> {
    let has_workload = match present.get(&tenant.namespace) {
        None => return Ok(Observed::Missing),
        Some(has_workload) => *has_workload,
    };
    if has_workload || !tenant.is_missing(Observed::Missing) {
        return Ok(Observed::Present);
    }
    // A chart need not pass our labels on; what readiness goes by, it must have.
    let placement = placement_of(app, tenant.id, tenant.namespace.clone(), None);
    match app.cluster.readiness(&placement).await? {
        Readiness::Waiting(obstacle) if obstacle.code == "no_workload" => Ok(Observed::Missing),
        Readiness::Ready | Readiness::Waiting(_) => Ok(Observed::Present),
    }
}

/// Where a tenant is, for looking and removing, which regard installation, tenant and names only.
fn placement_of(app: &App, tenant: TenantId, namespace: String, operation: Option<OperationId>) -> Placement {
    Placement {
        installation: app.settings.installation,
        organization: OrganizationId::from_uuid(Uuid::nil()),
        tenant,
        product: String::new(),
        operation: operation.unwrap_or_else(|| OperationId::from_uuid(Uuid::nil())),
        release: identifiers::release(tenant),
        namespace,
    }
}
