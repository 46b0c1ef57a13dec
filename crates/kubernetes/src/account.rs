//! The pods' account, and Secrets.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::Client;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tenantry_domain::provisioning::{ClusterError, Placement, cluster::TenantSecret, identifiers};

use crate::apply::apply;

/// An account without any right, whose token is not mounted.
pub(crate) async fn apply_account(client: &Client, placement: &Placement) -> Result<(), ClusterError> {
    let body = json!({"automountServiceAccountToken": false});
    apply::<ServiceAccount>(client, placement, identifiers::SERVICE_ACCOUNT, body).await?;
    Ok(())
}

pub(crate) async fn apply_secret(
    client: &Client,
    placement: &Placement,
    secret: &TenantSecret,
) -> Result<(), ClusterError> {
    let data: Map<String, Value> = secret
        .entries
        .iter()
        .map(|(key, value)| (key.clone(), STANDARD.encode(value.expose_secret()).into()))
        .collect();
    apply::<Secret>(client, placement, &secret.name, json!({"type": "Opaque", "data": data})).await?;
    Ok(())
}
