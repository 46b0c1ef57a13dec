//! Tenants: named, made, watched, removed.
//!
//! [`provision`] and [`deprovision`] are the two durable operations, each a list of steps in one file. What an operation
//! does to a tenant's row happens in the operation's own hooks; what is wanted of a tenant is written by use cases.

mod blueprint;
mod converge;
mod deprovision;
mod effects;
mod failure;
mod feed;
mod names;
mod pending;
mod provision;
mod reader;
mod reconcile;
mod report;
mod start;
mod steps;
mod timeline;
mod usual;
mod views;
mod watch;

pub use converge::Converge;
pub(crate) use converge::look_again;
pub use deprovision::Deprovision;
pub use feed::{Moves, ProgressFeed};
pub use names::{Availability, CheckNameError, check_name, suggest_name};
pub use pending::{CreatePendingError, NewTenant, create_pending, discard_pending};
pub use provision::Provision;
pub use reader::Reader;
pub use reconcile::{
    ReconcileCluster, ReconcileError, Reconciliation, Unmended, reconcile_cluster, schedule_reconciliation,
    unknown_namespaces,
};
pub use report::ReportFailure;
pub use start::{
    ProvisionRequest, StartError, Started, provision_for_operator, remove, retry, retry_operation, start_deprovision,
    start_provision,
};
pub use timeline::{OperationView, StepView, StepViewState, find_operation, step_title};
pub use views::{
    OperationSummary, OrganizationEntry, OrganizationName, OverviewView, TenantView, find_tenant, list_operations,
    list_organizations, list_tenants, organization_names, overview, search_tenants,
};
pub use watch::watch_cluster;

pub(crate) use usual::UsualDurations;

pub use tenantry_operations::{Failure, OperationState};
use tenantry_operations::{Registry, RegistryError, jobs::JobRegistry};

use crate::App;

/// Adds the operations of this area.
///
/// # Errors
/// When one of the names is taken.
pub fn register_operations(registry: Registry<App>) -> Result<Registry<App>, RegistryError> {
    registry.with::<Provision>()?.with::<Deprovision>()
}

/// Adds the jobs of this area.
///
/// # Errors
/// When one of the names is taken.
pub fn register_jobs(registry: JobRegistry<App>) -> Result<JobRegistry<App>, RegistryError> {
    registry
        .with::<Converge>()?
        .with::<ReconcileCluster>()?
        .with::<ReportFailure>()
}
