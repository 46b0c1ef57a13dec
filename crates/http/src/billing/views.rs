//! What these endpoints answer with.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::billing::{
    catalog::{plans_on_sale, prices_on_sale},
    checkout::CheckoutView,
    subscriptions::SubscriptionView,
};
use tenantry_domain::{
    billing::catalog::{CatalogLedger, LedgerPrice, Product as CatalogProduct},
    ids::{CheckoutId, OperationId, SubscriptionId, TenantId},
    money::Money as Amount,
};
use utoipa::ToSchema;

/// An amount in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Money {
    /// Cents, pence, yen.
    #[schema(example = 4900)]
    pub amount_minor: i64,
    /// Three letters.
    #[schema(example = "EUR")]
    pub currency: String,
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        Self {
            amount_minor: amount.amount_minor,
            currency: amount.currency.code().to_owned(),
        }
    }
}

/// How a product is delivered.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Each purchase gets an isolated instance of its own.
    Dedicated,
    /// One instance serves all customers.
    Shared,
}

/// How often a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Each month.
    Month,
    /// Each year.
    Year,
}

impl Interval {
    fn from_ledger(text: &str) -> Self {
        if text == "year" { Self::Year } else { Self::Month }
    }
}

/// Something that can be bought.
#[derive(Debug, Serialize, ToSchema)]
pub struct Product {
    /// Names it for good.
    #[schema(example = "collection")]
    pub key: String,
    /// What it is called.
    #[schema(example = "Collection")]
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How it is delivered.
    pub delivery: Delivery,
    /// Its plans, lowest rank first.
    pub plans: Vec<Plan>,
}

impl Product {
    pub(super) fn new(catalog: &CatalogLedger, product: &CatalogProduct) -> Self {
        use tenantry_domain::billing::catalog::Delivery as Delivered;
        let plans = plans_on_sale(catalog, product).into_iter().map(|on_sale| {
            let terms = &on_sale.version.terms;
            Plan {
                key: on_sale.plan.key.clone(),
                name: terms.name.clone(),
                description: on_sale.plan.description.clone(),
                rank: on_sale.plan.rank,
                highlight: on_sale.plan.highlight,
                features: terms.features.clone(),
                limits: terms
                    .limits
                    .0
                    .iter()
                    .map(|(key, limit)| (key.clone(), *limit))
                    .collect(),
                trial_days: terms.trial_days,
                prices: prices_on_sale(catalog, on_sale.version).map(Price::new).collect(),
            }
        });
        Self {
            key: product.key.clone(),
            name: product.name.clone(),
            description: product.description.clone(),
            delivery: match product.delivery {
                Delivered::Dedicated => Delivery::Dedicated,
                Delivered::Shared => Delivery::Shared,
            },
            plans: plans.collect(),
        }
    }
}

/// One way to buy a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    /// Names it for good.
    #[schema(example = "starter")]
    pub key: String,
    /// What it is called.
    #[schema(example = "Starter")]
    pub name: String,
    /// For whom it is.
    pub description: String,
    /// Its place among the plans.
    pub rank: u32,
    /// Whether it is pointed out.
    pub highlight: bool,
    /// What one gets, a line each.
    pub features: Vec<String>,
    /// How much of what; null is unlimited.
    pub limits: BTreeMap<String, Option<i64>>,
    /// Days before the first payment is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial_days: Option<u32>,
    /// What it costs; none for a free plan.
    pub prices: Vec<Price>,
}

/// What one interval costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Price {
    /// The key that it is bought by.
    #[schema(example = "collection_starter_month_eur")]
    pub lookup_key: String,
    /// How often it is due.
    pub interval: Interval,
    /// How much.
    pub amount: Money,
}

impl Price {
    fn new(price: &LedgerPrice) -> Self {
        Self {
            lookup_key: price.lookup_key.clone(),
            interval: Interval::from_ledger(price.interval.as_str()),
            amount: price.amount.into(),
        }
    }
}

/// Where an attempt to buy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// The payment page may still be used.
    Open,
    /// The money is there; what was bought is being made.
    Paid,
    /// The page was closed or ran out.
    Expired,
    /// It went wrong; `failure` says how.
    Failed,
}

/// Why an attempt to buy failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckoutFailure {
    /// Stable.
    #[schema(example = "payment_failed")]
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
}

/// One attempt to buy.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checkout {
    /// The checkout.
    #[schema(example = "chk_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Where it stands.
    pub state: CheckoutState,
    /// The payment page, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The tenant that it names.
    pub tenant_id: Option<String>,
    /// The tenant's host, as long as it has one.
    pub host: Option<String>,
    /// The product's key.
    pub product: String,
    /// The plan's key.
    pub plan: String,
    /// What is to be paid.
    pub price: Money,
    /// How often.
    pub interval: Interval,
    /// What makes the tenant, once it is paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<CheckoutFailure>,
    /// Until when it may be paid.
    pub expires_at: DateTime<Utc>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

impl From<CheckoutView> for Checkout {
    fn from(CheckoutView { details, price }: CheckoutView) -> Self {
        let state = match details.state.as_str() {
            "open" => CheckoutState::Open,
            "paid" => CheckoutState::Paid,
            "expired" => CheckoutState::Expired,
            _ => CheckoutState::Failed,
        };
        Self {
            id: CheckoutId::from_uuid(details.id).to_string(),
            state,
            url: details.payment_url.filter(|_| state == CheckoutState::Open),
            tenant_id: details.tenant_id.map(|id| TenantId::from_uuid(id).to_string()),
            host: details.host,
            product: details.product,
            plan: price.plan,
            interval: Interval::from_ledger(&price.recurrence),
            price: Money {
                amount_minor: price.amount_minor,
                currency: price.currency,
            },
            operation_id: details.operation_id.map(|id| OperationId::from_uuid(id).to_string()),
            failure: details.failure.map(|failure| CheckoutFailure {
                code: failure.0.code,
                detail: failure.0.detail,
            }),
            expires_at: details.expires_at,
            created_at: details.created_at,
        }
    }
}

/// A contract for a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscription {
    /// The subscription.
    #[schema(example = "sub_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// The product's key.
    pub product: String,
    /// The plan's key.
    pub plan: String,
    /// Where it stands, in the payment provider's words.
    #[schema(example = "active")]
    pub status: String,
    /// What is paid; none for a free plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Until when it is paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_end: Option<DateTime<Utc>>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// The tenants that it pays for.
    pub tenants: Vec<String>,
}

impl From<SubscriptionView> for Subscription {
    fn from(SubscriptionView { details, plan, price }: SubscriptionView) -> Self {
        Self {
            id: SubscriptionId::from_uuid(details.id).to_string(),
            product: details.product,
            plan,
            status: details.status,
            interval: price.as_ref().map(|price| Interval::from_ledger(&price.recurrence)),
            price: price.map(|price| Money {
                amount_minor: price.amount_minor,
                currency: price.currency,
            }),
            period_end: details.current_period_end,
            cancel_at_period_end: details.cancel_at_period_end,
            tenants: details
                .tenants
                .into_iter()
                .map(|id| TenantId::from_uuid(id).to_string())
                .collect(),
        }
    }
}
