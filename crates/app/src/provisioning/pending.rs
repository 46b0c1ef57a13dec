//! A tenant before anybody has paid: it has its identifiers, and its host is reserved for a while.

use chrono::{DateTime, Utc};
use tenantry_domain::{
    ids::{OrganizationId, PlanVersionId, TenantId},
    provisioning::{HostLabel, NameError, TenantState, identifiers},
};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::subscriptions,
    provisioning::{
        domains::{self, Reserved},
        installation, operations, tenants,
    },
};

use super::names::CheckNameError;
use crate::{App, billing::checkout::expire, error::Fault};

/// A tenant to be named.
#[derive(Debug, Clone)]
pub struct NewTenant<'a> {
    /// Its identifier, from which all others come.
    pub id: TenantId,
    /// Whose it will be.
    pub organization: OrganizationId,
    /// Key of its product.
    pub product: &'a str,
    /// The plan that it will have.
    pub plan_version: PlanVersionId,
    /// The name as a person typed it.
    pub name: &'a str,
    /// How long its host is kept for it; `None` for good.
    pub reserved_until: Option<DateTime<Utc>>,
}

/// Why a tenant cannot be named.
#[derive(Debug, thiserror::Error)]
pub enum CreatePendingError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] CheckNameError),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for CreatePendingError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<NameError> for CreatePendingError {
    fn from(error: NameError) -> Self {
        Self::Name(error.into())
    }
}

/// Makes all identifiers of a tenant, once, and reserves its host, in the caller's transaction.
///
/// # Errors
/// When the name cannot be used.
pub async fn create_pending(tx: &mut SystemTx, app: &App, new: &NewTenant<'_>) -> Result<TenantId, CreatePendingError> {
    let name = HostLabel::parse(new.name)?;
    let host = identifiers::host(&name, &app.settings.tenant_domain);
    let id = new.id;
    let cluster = installation::cluster_for_new_tenant(tx).await?;
    let row = tenants::NewTenant {
        id,
        organization: new.organization,
        product: new.product,
        plan_version: new.plan_version,
        cluster,
        name: name.as_str(),
        namespace: &identifiers::namespace(id),
        release: &identifiers::release(id),
    };
    tenants::insert(&mut *tx, &row).await?;
    let now = app.clock.now();
    match domains::reserve(tx, &host, new.organization, id, new.reserved_until, now).await? {
        Reserved::Taken => Err(CheckNameError::Taken { host }.into()),
        Reserved::Yes { taken_from } => {
            if let Some(loser) = taken_from {
                discard_pending(tx, loser).await?;
            }
            Ok(id)
        }
    }
}

/// Gives up a tenant that was never made: nobody paid in time, or what was paid for has ended. Leaves any other tenant
/// alone.
///
/// # Errors
/// When the ledger does not answer.
pub async fn discard_pending(tx: &mut SystemTx, tenant: TenantId) -> Result<(), Fault> {
    let Some(row) = tenants::lock(&mut *tx, tenant).await? else {
        return Ok(());
    };
    // What a contract pays for is kept, also while nothing has been queued for it yet.
    if row.state != TenantState::Pending
        || subscriptions::is_paid_for(&mut *tx, tenant).await?
        || operations::current(&mut *tx, tenant).await?.is_some()
    {
        return Ok(());
    }
    domains::release(&mut *tx, tenant).await?;
    expire::close_open(tx, tenant, None).await?;
    tenants::set_state(tx, tenant, TenantState::Deleted, None).await?;
    Ok(())
}
