//! The cluster compared with the ledger: a namespace or release that somebody took away is made again, a namespace that
//! nobody wants any more goes.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    ids::{OperationId, OrganizationId, TenantId},
    provisioning::{
        ClusterError, Placement,
        cluster::{Readiness, Unfenced},
        convergence::Observed,
        identifiers,
    },
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, NewJob};
use tenantry_postgres::{
    DatabaseError,
    provisioning::tenants::{self, Expectation},
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
    /// Namespaces with our label whose tenant the ledger has never known: left alone, for a person to look at.
    pub unknown: Vec<String>,
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
            Ok(found) => tracing::info!(?found, "the cluster differed from the ledger"),
            // The next one comes anyway; while the cluster is away there is nothing to compare.
            Err(error) => tracing::warn!(%error, "the cluster could not be compared with the ledger"),
        }
        Ok(())
    }
}

/// Compares the cluster with the ledger and mends what differs. A dry run only tells.
///
/// # Errors
/// When cluster or ledger do not answer.
pub async fn reconcile_cluster(app: &App, dry_run: bool) -> Result<Reconciliation, ReconcileError> {
    // The ledger first: what appears meanwhile is then taken for neither missing nor unwanted.
    let mut tx = app.database.read_system("compare the cluster with the ledger").await?;
    let expected = tenants::expectations(&mut tx).await?;
    tx.commit().await?;
    let owned = app.cluster.owned_namespaces(app.settings.installation).await?;
    let labelled: Vec<TenantId> = owned.iter().filter_map(|namespace| namespace.tenant).collect();
    let mut tx = app
        .database
        .read_system("find tenants by what the cluster shows")
        .await?;
    let deleted: HashSet<TenantId> = tenants::deleted_among(&mut tx, &labelled).await?.into_iter().collect();
    tx.commit().await?;

    let mut found = Reconciliation::default();
    let present: HashMap<String, bool> = owned
        .iter()
        .filter(|namespace| !namespace.terminating)
        .map(|namespace| (namespace.name.clone(), namespace.has_workload))
        .collect();
    for tenant in &expected {
        let observed = observe(app, tenant, &present).await?;
        if tenant.is_missing(observed) {
            found.missing.push(tenant.id);
            if !dry_run {
                converge(app, tenant.id, Observed::Missing, None).await?;
            }
        }
    }
    let known: HashSet<TenantId> = expected.iter().map(|tenant| tenant.id).collect();
    let now = app.clock.now();
    for namespace in owned {
        let is_young = namespace.created_at.is_none_or(|made| now - made < TOO_YOUNG);
        match namespace.tenant {
            Some(tenant) if known.contains(&tenant) => {}
            Some(tenant) if deleted.contains(&tenant) => {
                if namespace.terminating || is_young {
                    continue;
                }
                if !dry_run {
                    app.cluster
                        .remove_namespace(
                            &placement_of(app, tenant, namespace.name.clone(), namespace.operation),
                            &Unfenced,
                        )
                        .await?;
                }
                found.orphans.push(namespace.name);
            }
            // A ledger that was restored from an older copy does not know its youngest tenants. They keep their data.
            _ => found.unknown.push(namespace.name),
        }
    }
    Ok(found)
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
