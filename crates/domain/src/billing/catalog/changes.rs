//! What applying a catalog would change, in the ledger and at the payment provider.

mod provider;
mod words;

use crate::{
    ids::{InstallationId, PlanVersionId, PriceId},
    money::Money,
};

use super::{Catalog, Delivery, Existing, Interval, Plan, PlanTerms, Product};

pub use provider::{ProviderState, WebhookTarget, provider_lookup_key, provider_product_id};

/// The catalog as the ledger holds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CatalogLedger {
    /// All products that ever were, retired ones too.
    pub products: Vec<LedgerProduct>,
    /// The plan versions on sale.
    pub plan_versions: Vec<LedgerPlanVersion>,
    /// The prices on sale.
    pub prices: Vec<LedgerPrice>,
}

/// A product in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerProduct {
    /// Its definition as applied last.
    pub definition: Product,
    /// Whether it is no longer sold.
    pub is_retired: bool,
    /// The provider's identifier.
    pub provider_id: Option<String>,
}

/// A plan version on sale.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerPlanVersion {
    /// Its identifier.
    pub id: PlanVersionId,
    /// The product's key.
    pub product: String,
    /// The plan's key.
    pub plan: String,
    /// Counted from 1.
    pub version: i32,
    /// What it promises.
    pub terms: PlanTerms,
    /// Live subscriptions of this plan, whichever version they pin.
    pub subscribers: i64,
}

/// A price on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPrice {
    /// Its identifier.
    pub id: PriceId,
    /// Of which plan version.
    pub plan_version: PlanVersionId,
    /// The key that it is bought by.
    pub lookup_key: String,
    /// How much.
    pub amount: Money,
    /// How often.
    pub interval: Interval,
    /// The provider's identifier, once it is there.
    pub provider_id: Option<String>,
    /// Live subscriptions that pay it.
    pub subscribers: i64,
}

/// One change, in the order in which they are made.
#[derive(Debug, Clone, PartialEq)]
pub enum CatalogChange {
    /// A new product.
    AddProduct {
        /// Its definition.
        product: Box<Product>,
    },
    /// Another definition, or a retired product that is sold again.
    UpdateProduct {
        /// Its definition.
        product: Box<Product>,
        /// Which fields differ.
        fields: Vec<&'static str>,
    },
    /// A product that is no longer in the file.
    RetireProduct {
        /// Its key.
        product: String,
    },
    /// A new plan.
    AddPlan {
        /// The product's key.
        product: String,
        /// The plan's key.
        plan: String,
        /// What it promises.
        terms: Box<PlanTerms>,
    },
    /// Other terms: another version.
    ChangePlan {
        /// The product's key.
        product: String,
        /// The plan's key.
        plan: String,
        /// What the new version promises.
        terms: Box<PlanTerms>,
        /// The version that is replaced.
        from_version: i32,
        /// Which terms differ.
        fields: Vec<&'static str>,
        /// What those who have it get.
        existing: Existing,
        /// How many they are.
        subscribers: i64,
    },
    /// A plan that is no longer in the file. Those who have it keep it.
    RetirePlan {
        /// The product's key.
        product: String,
        /// The plan's key.
        plan: String,
        /// How many have it.
        subscribers: i64,
    },
    /// A new price, or the same price for a new plan version.
    AddPrice {
        /// The product's key.
        product: String,
        /// The plan's key.
        plan: String,
        /// The key that it is bought by.
        lookup_key: String,
        /// How much.
        amount: Money,
        /// How often.
        interval: Interval,
    },
    /// A price that is no longer sold. Those who pay it go on paying it.
    RetirePrice {
        /// Its identifier.
        price: PriceId,
        /// The key that it was bought by.
        lookup_key: String,
        /// How much.
        amount: Money,
        /// Why.
        replaced_by: Option<Money>,
        /// How many pay it.
        subscribers: i64,
        /// The provider's identifier.
        provider_id: Option<String>,
    },
    /// The provider gets a product, or another name for one.
    SyncProviderProduct {
        /// The product's key.
        product: String,
        /// What the provider calls it.
        provider_id: String,
        /// What invoices call it.
        name: String,
        /// What the payment page says about it.
        description: Option<String>,
        /// Whether it is there already.
        exists: bool,
    },
    /// The provider gets a price, or one that it has is taken over.
    SyncProviderPrice {
        /// The key that it is bought by.
        lookup_key: String,
        /// How much.
        amount: Money,
        /// How often.
        interval: Interval,
        /// One that fits and is there already.
        adopts: Option<String>,
    },
    /// The provider is told where to send events.
    SyncWebhook {
        /// Where to.
        url: String,
        /// The endpoint that is there already and differs.
        endpoint: Option<String>,
        /// Why a new one is needed, or what differs.
        reason: &'static str,
    },
}

/// Why a catalog cannot follow the one that is applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogRefusal {
    /// Contracts are bound to how a product is delivered.
    #[error(
        "product `{product}` is {was:?} in the ledger and {wanted:?} in the file: how a product is delivered cannot \
         change, so give the new one another key"
    )]
    DeliveryChanged {
        /// The product's key.
        product: String,
        /// In the ledger.
        was: Delivery,
        /// In the file.
        wanted: Delivery,
    },
}

/// What applying `catalog` would change. Empty when everything is as the file says.
///
/// # Errors
/// When the catalog cannot follow the one in the ledger at all.
pub fn plan_changes(
    ledger: &CatalogLedger,
    provider: &ProviderState,
    installation: InstallationId,
    catalog: &Catalog,
) -> Result<Vec<CatalogChange>, CatalogRefusal> {
    let mut changes = Vec::new();
    for product in &catalog.products {
        product_changes(ledger, product, &mut changes)?;
    }
    for old in ledger.products.iter().filter(|old| !old.is_retired) {
        let key = &old.definition.key;
        if catalog.product(key).is_none() {
            for version in ledger.plan_versions.iter().filter(|version| version.product == *key) {
                retire_plan(ledger, version, &mut changes);
            }
            changes.push(CatalogChange::RetireProduct { product: key.clone() });
        }
    }
    provider::changes(ledger, provider, installation, catalog, &mut changes);
    Ok(changes)
}

fn product_changes(
    ledger: &CatalogLedger,
    product: &Product,
    changes: &mut Vec<CatalogChange>,
) -> Result<(), CatalogRefusal> {
    match ledger.products.iter().find(|old| old.definition.key == product.key) {
        None => changes.push(CatalogChange::AddProduct {
            product: Box::new(product.clone()),
        }),
        Some(old) if old.definition.delivery != product.delivery => {
            return Err(CatalogRefusal::DeliveryChanged {
                product: product.key.clone(),
                was: old.definition.delivery,
                wanted: product.delivery,
            });
        }
        Some(old) => {
            let fields = product_differences(old, product);
            if !fields.is_empty() {
                changes.push(CatalogChange::UpdateProduct {
                    product: Box::new(product.clone()),
                    fields,
                });
            }
        }
    }
    for plan in &product.plans {
        plan_changes_of(ledger, product, plan, changes);
    }
    for version in ledger
        .plan_versions
        .iter()
        .filter(|version| version.product == product.key)
    {
        if product.plan(&version.plan).is_none() {
            retire_plan(ledger, version, changes);
        }
    }
    Ok(())
}

fn product_differences(old: &LedgerProduct, new: &Product) -> Vec<&'static str> {
    let was = &old.definition;
    let differences = [
        ("on sale again", old.is_retired),
        ("name", was.name != new.name),
        ("description", was.description != new.description),
        ("chart", was.chart != new.chart),
        ("image", was.image != new.image),
        ("port", was.port != new.port),
        ("health", was.health != new.health),
        ("egress", was.egress != new.egress),
        ("secrets", was.secrets != new.secrets),
        ("values", was.values != new.values),
        ("sign_in", was.sign_in != new.sign_in),
        ("plans", was.plans != new.plans),
    ];
    differences
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
}

fn plan_changes_of(ledger: &CatalogLedger, product: &Product, plan: &Plan, changes: &mut Vec<CatalogChange>) {
    let terms = plan.terms();
    let current = ledger
        .plan_versions
        .iter()
        .find(|version| version.product == product.key && version.plan == plan.key);
    // A version that is kept keeps its prices, too; a new version needs prices of its own, so that a price always
    // says which version was bought by it.
    let kept = match current {
        None => {
            changes.push(CatalogChange::AddPlan {
                product: product.key.clone(),
                plan: plan.key.clone(),
                terms: Box::new(terms),
            });
            None
        }
        Some(version) => {
            let fields = term_differences(&version.terms, &terms);
            if fields.is_empty() {
                Some(version)
            } else {
                changes.push(CatalogChange::ChangePlan {
                    product: product.key.clone(),
                    plan: plan.key.clone(),
                    terms: Box::new(terms),
                    from_version: version.version,
                    fields,
                    existing: plan.existing,
                    subscribers: version.subscribers,
                });
                None
            }
        }
    };
    price_changes(ledger, product, plan, current, kept.is_some(), changes);
}

fn term_differences(was: &PlanTerms, new: &PlanTerms) -> Vec<&'static str> {
    let differences = [
        ("name", was.name != new.name),
        ("features", was.features != new.features),
        ("limits", was.limits != new.limits),
        ("quota", was.quota != new.quota),
        ("trial", was.trial_days != new.trial_days),
    ];
    differences
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
}

fn price_changes(
    ledger: &CatalogLedger,
    product: &Product,
    plan: &Plan,
    current: Option<&LedgerPlanVersion>,
    version_is_kept: bool,
    changes: &mut Vec<CatalogChange>,
) {
    let mut old: Vec<&LedgerPrice> = ledger
        .prices
        .iter()
        .filter(|price| current.is_some_and(|version| version.id == price.plan_version))
        .collect();
    for price in &plan.prices {
        let lookup_key = price.lookup_key(&product.key, &plan.key);
        let before = old
            .iter()
            .position(|old| old.lookup_key == lookup_key)
            .map(|index| old.swap_remove(index));
        if let Some(before) = before {
            if version_is_kept && before.amount == price.amount() {
                continue;
            }
            changes.push(retire_price(before, Some(price.amount())));
        }
        changes.push(CatalogChange::AddPrice {
            product: product.key.clone(),
            plan: plan.key.clone(),
            lookup_key,
            amount: price.amount(),
            interval: price.interval,
        });
    }
    changes.extend(old.into_iter().map(|price| retire_price(price, None)));
}

fn retire_price(price: &LedgerPrice, replaced_by: Option<Money>) -> CatalogChange {
    CatalogChange::RetirePrice {
        price: price.id,
        lookup_key: price.lookup_key.clone(),
        amount: price.amount,
        replaced_by,
        subscribers: price.subscribers,
        provider_id: price.provider_id.clone(),
    }
}

fn retire_plan(ledger: &CatalogLedger, version: &LedgerPlanVersion, changes: &mut Vec<CatalogChange>) {
    let prices = ledger.prices.iter().filter(|price| price.plan_version == version.id);
    changes.extend(prices.map(|price| retire_price(price, None)));
    changes.push(CatalogChange::RetirePlan {
        product: version.product.clone(),
        plan: version.plan.clone(),
        subscribers: version.subscribers,
    });
}

#[cfg(test)]
mod tests;
