//! The catalog: one YAML file that says what is sold and how it runs.
//!
//! The types here are at once what the file is read into, what the JSON Schema for editors is made from, and what the
//! ledger keeps as a product's definition and a plan version's terms.

mod changes;
mod currencies;
mod expressions;
mod load;
mod locate;
mod outline;
mod product;
mod quantities;
pub mod sign_in;
mod validate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use changes::{
    CatalogChange, CatalogLedger, CatalogRefusal, LedgerPlanVersion, LedgerPrice, LedgerProduct, ProviderState,
    WebhookTarget, plan_changes, provider_lookup_key, provider_product_id,
};
pub use expressions::{InvalidExpression, VARIABLES};
pub use load::{CatalogProblem, CatalogProblems, load, schema};
pub use product::{Chart, Delivery, Existing, Health, Image, Interval, Limits, Plan, PlanTerms, Price, Product, Quota};
pub use quantities::{Bytes, Cpu, InvalidQuantity};
pub use sign_in::{ClientKind, InvalidRedirect, SignIn};

/// The version of the file format that this release reads.
pub const FORMAT_VERSION: u32 = 1;

/// What is sold here, and how it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Tenantry catalog")]
pub struct Catalog {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What customers can buy, in the order in which they see it.
    pub products: Vec<Product>,
}

impl Catalog {
    /// The product under this key.
    #[must_use]
    pub fn product(&self, key: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.key == key)
    }
}
