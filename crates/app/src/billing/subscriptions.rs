//! The contracts of an organization.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tenantry_domain::ids::OrganizationId;
use tenantry_postgres::{
    DatabaseError,
    billing::{
        catalog::{self, PriceLabel},
        subscriptions::{self, SubscriptionDetails},
    },
};
use uuid::Uuid;

use crate::App;

/// A contract as its owner sees it.
#[derive(Debug, Clone)]
pub struct SubscriptionView {
    /// The organization's own row.
    pub details: SubscriptionDetails,
    /// The plan's key.
    pub plan: String,
    /// What is paid; none for a free plan.
    pub price: Option<PriceLabel>,
}

/// An organization's contracts, newest first, after a cursor.
///
/// # Errors
/// The database.
pub async fn list(
    app: &App,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<SubscriptionView>, DatabaseError> {
    let mut tx = app.database.read_organization(organization).await?;
    let contracts = subscriptions::list(&mut tx, after, limit).await?;
    tx.commit().await?;
    let versions: Vec<Uuid> = contracts.iter().map(|contract| contract.plan_version_id).collect();
    let prices: Vec<Uuid> = contracts.iter().filter_map(|contract| contract.price_id).collect();
    let mut tx = app
        .database
        .read_system("read what plans and prices in the catalog say")
        .await?;
    let plans: HashMap<Uuid, String> = catalog::plan_labels(&mut tx, &versions).await?.into_iter().collect();
    let prices: HashMap<Uuid, PriceLabel> = catalog::price_labels(&mut tx, &prices)
        .await?
        .into_iter()
        .map(|price| (price.id, price))
        .collect();
    tx.commit().await?;
    Ok(contracts
        .into_iter()
        .map(|details| SubscriptionView {
            plan: plans.get(&details.plan_version_id).cloned().unwrap_or_default(),
            price: details.price_id.and_then(|price| prices.get(&price).cloned()),
            details,
        })
        .collect())
}
