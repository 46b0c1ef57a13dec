//! Products, plans and prices as the catalog file writes them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    money::{Currency, Money},
    provisioning::{
        self, Workload,
        workload::{Egress, GeneratedSecret},
    },
};

use super::{
    quantities::{Bytes, Cpu},
    sign_in::SignIn,
};

/// How customers get a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Each purchase gets its own isolated instance on Kubernetes.
    Dedicated,
    /// One instance serves all customers; an organization has at most one contract for it.
    Shared,
}

impl Delivery {
    /// As the ledger writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::Shared => "shared",
        }
    }

    /// As the ledger writes it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Dedicated, Self::Shared]
            .into_iter()
            .find(|delivery| delivery.as_str() == text)
    }
}

/// Something that customers can buy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Names the product for good: lower-case letters, digits and underscores.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"), example = &"collection")]
    pub key: String,
    /// What customers call it.
    #[schemars(length(min = 1, max = 100), example = &"Collection")]
    pub name: String,
    /// One or two sentences that say what it is for.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub description: String,
    /// How customers get it.
    pub delivery: Delivery,
    /// The Helm chart that runs it. Dedicated products need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<Chart>,
    /// The container image that runs it. Dedicated products need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The port on which the container answers HTTP. Dedicated products need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), example = 8080)]
    pub port: Option<u16>,
    /// How it shows that it works.
    #[serde(default)]
    pub health: Health,
    /// Which addresses it may call. Everything else is closed; DNS is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<Egress>,
    /// Secrets of random words, made once for each tenant. The chart receives their names, never their content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<GeneratedSecret>,
    /// Values for the chart. A text may hold expressions such as `{{ tenant.name }}`; keys may not.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Lets people sign in to it with their account here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
    /// What it costs and what one gets for it.
    pub plans: Vec<Plan>,
}

impl Product {
    /// The plan under this key.
    #[must_use]
    pub fn plan(&self, key: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.key == key)
    }

    /// What to run for each tenant; `None` for a shared product.
    #[must_use]
    pub fn workload(&self) -> Option<Workload> {
        let chart = self.chart.as_ref()?;
        let image = self.image.as_ref()?;
        Some(Workload {
            chart: chart.path.clone().or_else(|| chart.reference.clone())?,
            image: format!("{}:{}", image.repository, image.tag),
            port: self.port?,
            health_path: self.health.path.clone(),
            egress: self.egress.clone(),
            secrets: self.secrets.clone(),
            values: self.values.clone(),
        })
    }
}

/// Where a Helm chart is found: either `path` or `ref`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// A folder, relative to the installation's chart directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"tenant")]
    pub path: Option<String>,
    /// A chart in a registry.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"oci://registry.example.com/charts/collection")]
    pub reference: Option<String>,
    /// The version to take. A chart by `ref` needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"1.2.0")]
    pub version: Option<String>,
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Registry and name, without a tag.
    #[schemars(example = &"registry.example.com/collection")]
    pub repository: String,
    /// Which build.
    #[schemars(example = &"1.4.2")]
    pub tag: String,
}

/// How a product shows that it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Answers 200 when the instance can serve its customer.
    #[serde(default = "Health::default_path")]
    #[schemars(example = &"/health")]
    pub path: String,
}

impl Health {
    fn default_path() -> String {
        "/health".to_owned()
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: Self::default_path(),
        }
    }
}

/// One way to buy a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names the plan for good: lower-case letters, digits and underscores.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,39}$"), example = &"starter")]
    pub key: String,
    /// What customers call it.
    #[schemars(length(min = 1, max = 100), example = &"Starter")]
    pub name: String,
    /// For whom it is.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub description: String,
    /// Its place among the plans, lowest first: going to a higher rank is an upgrade.
    #[serde(default)]
    pub rank: u32,
    /// Whether the price page points it out.
    #[serde(default)]
    pub highlight: bool,
    /// What one gets, a line each.
    #[serde(default)]
    pub features: Vec<String>,
    /// How much of what; `null` is unlimited. `tenants` is how many instances one contract holds, by default 1.
    #[serde(default)]
    pub limits: Limits,
    /// What the tenant's namespace may use. Plans of dedicated products need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Days before the first payment is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 730))]
    pub trial_days: Option<u32>,
    /// What happens to those who bought an earlier version when the terms change.
    #[serde(default)]
    pub existing: Existing,
    /// What it costs. A plan without prices is free.
    #[serde(default)]
    pub prices: Vec<Price>,
}

impl Plan {
    /// What is sold: the part that a subscription pins, and that never changes once it is in the ledger.
    #[must_use]
    pub fn terms(&self) -> PlanTerms {
        PlanTerms {
            name: self.name.clone(),
            features: self.features.clone(),
            limits: self.limits.clone(),
            quota: self.quota.clone(),
            trial_days: self.trial_days,
        }
    }
}

/// What a plan version promises; immutable once sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanTerms {
    /// What customers call it.
    pub name: String,
    /// What one gets, a line each.
    #[serde(default)]
    pub features: Vec<String>,
    /// How much of what; `null` is unlimited.
    #[serde(default)]
    pub limits: Limits,
    /// What the tenant's namespace may use.
    #[serde(default)]
    pub quota: Option<Quota>,
    /// Days before the first payment is due.
    #[serde(default)]
    pub trial_days: Option<u32>,
}

/// What happens to those who bought an earlier version of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Existing {
    /// They keep what they bought.
    #[default]
    Keep,
    /// They get the new terms at once, at the price that they pay already.
    Move,
}

/// How much of what; `null` is unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(example = serde_json::json!({ "tenants": 1, "members": 5, "objects": null }))]
pub struct Limits(pub IndexMap<String, Option<i64>>);

impl Limits {
    /// How many tenants one contract holds: 1 unless stated, `None` for any number.
    #[must_use]
    pub fn tenants(&self) -> Option<i64> {
        self.0.get("tenants").copied().unwrap_or(Some(1))
    }
}

/// What a tenant's namespace may use in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Processor time that it may use.
    pub cpu: Cpu,
    /// Working memory that it may use.
    pub memory: Bytes,
    /// Processor time that is kept free for it; as much as `cpu` unless stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_reserved: Option<Cpu>,
    /// Working memory that is kept free for it; as much as `memory` unless stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_reserved: Option<Bytes>,
    /// Persistent volumes, together; none unless stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Bytes>,
    /// How many pods may exist at once. An update runs old and new side by side, so at least 2.
    #[schemars(range(min = 2))]
    pub pods: u32,
}

impl Quota {
    /// The bounds of the namespace, in the units that the cluster is told.
    #[must_use]
    pub fn bounds(&self) -> provisioning::Quota {
        provisioning::Quota {
            requests_cpu_milli: self.cpu_reserved.unwrap_or(self.cpu).millis(),
            requests_memory_bytes: self.memory_reserved.unwrap_or(self.memory).get(),
            limits_cpu_milli: self.cpu.millis(),
            limits_memory_bytes: self.memory.get(),
            storage_bytes: self.storage.map_or(0, Bytes::get),
            pods: self.pods,
        }
    }
}

/// What one interval costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How often it is due.
    pub interval: Interval,
    /// Three letters.
    #[schemars(with = "String", regex(pattern = r"^[A-Za-z]{3}$"), example = &"EUR")]
    pub currency: Currency,
    /// In the currency's smallest unit: 4900 is €49.00.
    #[schemars(range(min = 1, max = 99_999_999), example = 4900)]
    pub amount_minor: i64,
}

impl Price {
    /// Amount and currency.
    #[must_use]
    pub fn amount(&self) -> Money {
        Money {
            amount_minor: self.amount_minor,
            currency: self.currency,
        }
    }

    /// The key that this price is bought by: stable when the amount changes.
    #[must_use]
    pub fn lookup_key(&self, product: &str, plan: &str) -> String {
        let currency = self.currency.code().to_ascii_lowercase();
        format!("{product}_{plan}_{}_{currency}", self.interval.as_str())
    }
}

/// How often a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Each month.
    Month,
    /// Each year.
    Year,
}

impl Interval {
    /// As the ledger and the provider write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// As the ledger and the provider write it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "month" => Some(Self::Month),
            "year" => Some(Self::Year),
            _ => None,
        }
    }
}
