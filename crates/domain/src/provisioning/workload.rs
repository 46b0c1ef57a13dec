//! How a dedicated product is run: the part of a product in the catalog that the cluster hears of.

use serde::{Deserialize, Serialize};

/// What to run for each tenant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Name of the chart: a directory below the chart directory.
    #[serde(default = "generic_chart")]
    pub chart: String,
    /// Container image with tag or digest.
    pub image: String,
    /// Port that the product listens on.
    #[serde(default = "usual_port")]
    pub port: u16,
    /// Path that answers 2xx when the product is healthy; asked through the ingress before a tenant becomes active.
    #[serde(default = "usual_health_path")]
    pub health_path: String,
    /// What the product's pods may connect to, besides DNS. Nothing, unless it is said here.
    #[serde(default)]
    pub egress: Vec<Egress>,
    /// Secrets that are made for each tenant and kept sealed; the chart receives their names only.
    #[serde(default)]
    pub secrets: Vec<GeneratedSecret>,
    /// More values for the chart. Strings may hold expressions such as `{{ tenant.host }}`.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// One opening for connections that a tenant's pods make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    /// Addresses in CIDR notation, such as `203.0.113.0/24`.
    pub cidr: String,
    /// TCP ports.
    pub ports: Vec<u16>,
}

/// A secret of random words, made once for each tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratedSecret {
    /// Name of the Secret object.
    pub name: String,
    /// Its keys; each gets a random value.
    pub keys: Vec<String>,
}

fn generic_chart() -> String {
    "tenant".to_owned()
}

const fn usual_port() -> u16 {
    8080
}

fn usual_health_path() -> String {
    "/health".to_owned()
}
