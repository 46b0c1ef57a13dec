//! What the two operations share: who they work on.

use serde::{Deserialize, Serialize};
use tenantry_domain::{
    ids::{OperationId, OrganizationId, PlanVersionId, TenantId},
    provisioning::Placement,
};
use tenantry_operations::{Operation, OperationContext, StepContext, StepError};
use tenantry_postgres::{SystemTx, provisioning::tenants::Tenant};

use super::failure;
use crate::App;

/// What the owner of a tenant's sealed secrets is.
pub(super) const SECRET_SCOPE: &str = "tenant";

/// Which tenant, and the names that were made for it once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// Which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub organization: OrganizationId,
    /// Key of its product.
    pub product: String,
    /// Its namespace.
    pub namespace: String,
    /// Its Helm release.
    pub release: String,
    /// The plan that it is to have.
    pub plan_version: PlanVersionId,
    /// The label of its host.
    pub name: String,
    /// Whether it has run before, so that there may be something to lose.
    #[serde(default)]
    pub has_run: bool,
}

impl Subject {
    pub(super) fn of(tenant: &Tenant) -> Self {
        Self {
            tenant: tenant.id,
            organization: tenant.organization,
            product: tenant.product.clone(),
            namespace: tenant.namespace.clone(),
            release: tenant.release.clone(),
            plan_version: tenant.plan_wanted,
            name: tenant.name.clone(),
            has_run: tenant.plan_applied.is_some(),
        }
    }
}

/// An operation on one tenant.
pub(super) trait OnTenant: Operation<Context = App, Params = Subject> {}
impl<O: Operation<Context = App, Params = Subject>> OnTenant for O {}

/// A transaction of a step that writes to the ledger: it happens under the operation's epoch and lease, or not at all. A
/// worker that was paused for long must not leave anything with a tenant that is gone by now.
pub(super) async fn fenced_system<O: OnTenant>(
    cx: &StepContext<O>,
    purpose: &'static str,
) -> Result<SystemTx, StepError> {
    let mut tx = cx
        .context()
        .database
        .system(purpose)
        .await
        .map_err(failure::of_database)?;
    cx.fence_in(tx.connection()).await?;
    Ok(tx)
}

/// Where the tenant lives, marked with this operation.
pub(super) fn placement<O: OnTenant>(cx: &OperationContext<O>) -> Placement {
    let subject = cx.params();
    Placement {
        installation: cx.context().settings.installation,
        organization: subject.organization,
        tenant: subject.tenant,
        product: subject.product.clone(),
        operation: OperationId::from_uuid(cx.id()),
        namespace: subject.namespace.clone(),
        release: subject.release.clone(),
    }
}
