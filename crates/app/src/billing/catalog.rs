//! The catalog in use: what is sold now, and how a new file is applied.

mod apply;
pub mod follow;
mod plan;
pub mod store;

use tenantry_domain::billing::{
    PaymentError,
    catalog::{CatalogProblems, CatalogRefusal},
};
use tenantry_postgres::DatabaseError;

use super::BillingFault;
use crate::{accounts::ClientSecret, error::Fault};

pub use apply::apply;
pub use plan::{CatalogPlan, Webhook, plan};
pub use store::{plans_on_sale, prices_on_sale, products_on_sale};

/// Why a catalog is not planned or applied.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file.
    #[error(transparent)]
    Problems(#[from] CatalogProblems),
    /// It cannot follow the catalog that is in use.
    #[error(transparent)]
    Refused(#[from] CatalogRefusal),
    /// Somebody else applies one.
    #[error("another catalog is being applied; try again when that is done")]
    UnderWay,
    /// The payment provider. What was done before stays done; applying again goes on from there.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An application that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ApplyError {
    /// Why.
    #[source]
    pub error: CatalogError,
    /// The secrets of clients that the ledger has by now all the same: no later application can show them.
    pub client_secrets: Vec<ClientSecret>,
}

impl From<CatalogError> for ApplyError {
    fn from(error: CatalogError) -> Self {
        Self {
            error,
            client_secrets: Vec::new(),
        }
    }
}

impl From<DatabaseError> for CatalogError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<BillingFault> for CatalogError {
    fn from(error: BillingFault) -> Self {
        match error {
            BillingFault::Payment(error) => Self::Payment(error),
            BillingFault::Overtaken => Self::UnderWay,
            BillingFault::Fault(fault) => Self::Fault(fault),
        }
    }
}
