//! What is sold, in memory: as it was applied last, read again whenever it is applied.

use std::sync::{Arc, PoisonError, RwLock};

use tenantry_domain::billing::catalog::{CatalogLedger, LedgerPlanVersion, LedgerPrice, Plan, Product};
use tenantry_postgres::{Database, DatabaseError, billing::catalog as table};

/// What is sold now. Cloning it is cheap, and all clones see a reload.
#[derive(Debug, Clone, Default)]
pub struct CatalogStore(Arc<RwLock<Arc<CatalogLedger>>>);

/// A plan on sale, with what the ledger knows about it.
#[derive(Debug, Clone, Copy)]
pub struct PlanOnSale<'a> {
    /// Its definition.
    pub plan: &'a Plan,
    /// The version that a purchase gets.
    pub version: &'a LedgerPlanVersion,
}

impl CatalogStore {
    /// A store that holds nothing until it is loaded.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The catalog as it is now; a reload does not change what was handed out.
    #[must_use]
    pub fn current(&self) -> Arc<CatalogLedger> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the catalog from the ledger.
    ///
    /// # Errors
    /// The database; what was held before stays.
    pub async fn reload(&self, database: &Database) -> Result<(), DatabaseError> {
        let mut tx = database.read_system("read the catalog").await?;
        let loaded = table::load(&mut tx).await?;
        tx.commit().await?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        Ok(())
    }
}

/// The products on sale, in the order of their keys.
pub fn products_on_sale(catalog: &CatalogLedger) -> impl Iterator<Item = &Product> {
    catalog
        .products
        .iter()
        .filter(|product| !product.is_retired)
        .map(|product| &product.definition)
}

/// The plans of a product that are on sale, lowest rank first.
#[must_use]
pub fn plans_on_sale<'a>(catalog: &'a CatalogLedger, product: &'a Product) -> Vec<PlanOnSale<'a>> {
    let mut plans: Vec<_> = product
        .plans
        .iter()
        .filter_map(|plan| {
            let version = catalog
                .plan_versions
                .iter()
                .find(|version| version.product == product.key && version.plan == plan.key)?;
            Some(PlanOnSale { plan, version })
        })
        .collect();
    plans.sort_by_key(|on_sale| on_sale.plan.rank);
    plans
}

/// The prices of a plan version that can be bought: those that the payment provider has, too.
pub fn prices_on_sale<'a>(
    catalog: &'a CatalogLedger,
    version: &'a LedgerPlanVersion,
) -> impl Iterator<Item = &'a LedgerPrice> {
    catalog
        .prices
        .iter()
        .filter(|price| price.plan_version == version.id && price.provider_id.is_some())
}
