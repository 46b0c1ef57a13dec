//! What is sold and what was bought: the catalog, checkouts, and what follows from a payment.
//!
//! A payment enters at [`inbox`], is looked at by [`apply`], and leaves as a queued operation on a tenant.

pub mod apply;
mod calls;
pub(crate) mod cancel;
pub mod catalog;
pub mod checkout;
pub(crate) mod customers;
pub mod events;
pub mod inbox;
pub mod polling;
pub mod reconcile;
pub mod refunds;
pub mod sales;
pub mod subscriptions;
pub mod webhook_secrets;

pub use catalog::{follow::follow_catalog, store::CatalogStore};
pub use polling::poll_events;
pub use reconcile::schedule_reconciliation;

use tenantry_domain::billing::PaymentError;
use tenantry_operations::{
    RegistryError,
    jobs::{JobError, JobRegistry},
};
use tenantry_postgres::DatabaseError;

use crate::{App, error::Fault};

/// Adds the jobs of this area.
///
/// # Errors
/// When one of the names is taken.
pub fn register_jobs(registry: JobRegistry<App>) -> Result<JobRegistry<App>, RegistryError> {
    registry
        .with::<apply::ApplyEvents>()?
        .with::<checkout::expire::ExpireCheckout>()?
        .with::<cancel::CancelUnwanted>()?
        .with::<customers::UpdateCustomer>()?
        .with::<reconcile::ReconcilePayments>()
}

/// A failure below a use case that talks to the payment provider.
#[derive(Debug, thiserror::Error)]
pub enum BillingFault {
    /// The payment provider.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// Others moved the same purchase on, again and again, while this was looked at. A later look finds it at rest.
    #[error("the purchase moved while it was looked at")]
    Overtaken,
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for BillingFault {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

/// How a job ends that met such a failure.
fn job_error(error: BillingFault) -> JobError {
    match error {
        BillingFault::Payment(PaymentError::RateLimited { retry_after }) => JobError::Retry {
            failure: tenantry_operations::Failure::new(
                "payment_provider_rate_limited",
                "The payment provider asks us to slow down.",
            ),
            after: retry_after,
        },
        BillingFault::Payment(error) if error.is_temporary() => JobError::retry(error.code(), error.to_string()),
        BillingFault::Payment(error) => JobError::give_up(error.code(), error.to_string()),
        BillingFault::Overtaken => JobError::retry("overtaken", error.to_string()),
        BillingFault::Fault(fault) => JobError::retry("fault", fault.to_string()),
    }
}
