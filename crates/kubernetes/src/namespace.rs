//! Namespaces: made, taken up, refused, removed, listed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tenantry_domain::{
    ids::InstallationId,
    provisioning::{
        ClusterError, Placement,
        cluster::{Fence, NamespaceApplied, OwnedNamespace},
        identifiers,
    },
};

use crate::{
    apply::{FIELD_MANAGER, exactly},
    errors::call,
    idle,
};

/// Pods of tenants run under the strictest profile that Kubernetes defines.
const POD_SECURITY: [(&str, &str); 3] = [
    ("pod-security.kubernetes.io/enforce", "restricted"),
    ("pod-security.kubernetes.io/warn", "restricted"),
    ("pod-security.kubernetes.io/audit", "restricted"),
];

/// Which operation made the namespace. Unlike the label, no later operation writes it, so that a repeated step knows its
/// own work from what was there before.
const MADE_BY: &str = "tenantry.dev/made-by-operation";

/// Creates first, so that a namespace of somebody else is noticed before anything is written to it.
pub(crate) async fn apply(client: &Client, placement: &Placement) -> Result<NamespaceApplied, ClusterError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let resource = described(placement);
    let mut labels = placement.labels();
    labels.extend(POD_SECURITY.map(|(key, value)| (key.to_owned(), value.to_owned())));

    let new = Namespace {
        metadata: ObjectMeta {
            name: Some(placement.namespace.clone()),
            labels: Some(labels.clone()),
            annotations: Some(BTreeMap::from([(MADE_BY.to_owned(), placement.operation.to_string())])),
            ..Default::default()
        },
        ..Namespace::default()
    };
    let as_tenantry = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let (applied, uid) = match call("creating a namespace", &resource, api.create(&as_tenantry, &new)).await {
        Ok(created) => (NamespaceApplied::Created, created.metadata.uid),
        Err(ClusterError::Conflict { .. }) => {
            let found = call("reading a namespace", &resource, api.get(&placement.namespace)).await?;
            owned(&found, placement)?;
            if found.metadata.deletion_timestamp.is_some() {
                return Err(ClusterError::NamespaceTerminating {
                    namespace: placement.namespace.clone(),
                });
            }
            (taken_up(&found.metadata, placement), found.metadata.uid)
        }
        Err(error) => return Err(error),
    };
    // The uid makes the write fail if the namespace was replaced since it was looked at.
    let body = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": placement.namespace, "uid": uid, "labels": labels},
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    call(
        "applying a namespace",
        &resource,
        api.patch(&placement.namespace, &params, &Patch::Apply(&body)),
    )
    .await?;
    Ok(applied)
}

/// What an earlier try of the same operation made counts as made now.
fn taken_up(found: &ObjectMeta, placement: &Placement) -> NamespaceApplied {
    let maker = found.annotations.as_ref().and_then(|all| all.get(MADE_BY));
    if maker == Some(&placement.operation.to_string()) {
        NamespaceApplied::Created
    } else {
        NamespaceApplied::TakenUp
    }
}

/// Asks for removal of exactly the namespace that was looked at.
pub(crate) async fn remove(client: &Client, placement: &Placement, fence: &dyn Fence) -> Result<(), ClusterError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let resource = described(placement);
    let Some(found) = call("reading a namespace", &resource, api.get_opt(&placement.namespace)).await? else {
        return Ok(());
    };
    owned(&found, placement)?;
    if found.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    fence.check().await?;
    match call(
        "removing a namespace",
        &resource,
        api.delete(&placement.namespace, &exactly(&found.metadata)),
    )
    .await
    {
        Ok(_) | Err(ClusterError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether nothing is left of the tenant's namespace. One of somebody else under its name is not the tenant's.
pub(crate) async fn gone(client: &Client, placement: &Placement) -> Result<bool, ClusterError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let found = call(
        "reading a namespace",
        &described(placement),
        api.get_opt(&placement.namespace),
    )
    .await?;
    Ok(found.is_none_or(|namespace| owned(&namespace, placement).is_err()))
}

/// Whether the tenant's namespace is there, so that a write into it may be tried.
pub(crate) async fn is_ours(client: &Client, placement: &Placement) -> Result<bool, ClusterError> {
    gone(client, placement).await.map(|gone| !gone)
}

/// Every namespace labelled as of the installation.
pub(crate) async fn list_owned(
    client: &Client,
    installation: InstallationId,
) -> Result<Vec<OwnedNamespace>, ClusterError> {
    const PAGE: u32 = 500;
    let api: Api<Namespace> = Api::all(client.clone());
    let mut params = ListParams::default()
        .labels(&format!("{}={installation}", identifiers::INSTALLATION))
        .limit(PAGE);
    let inhabited = idle::namespaces_with_workloads(client, installation).await?;
    let mut owned = Vec::new();
    loop {
        let page = call("listing namespaces", "namespaces", api.list_metadata(&params)).await?;
        let next = page.metadata.continue_.clone().filter(|token| !token.is_empty());
        owned.extend(page.items.into_iter().map(|item| {
            let labels = item.metadata.labels.unwrap_or_default();
            let name = item.metadata.name.unwrap_or_default();
            OwnedNamespace {
                has_workload: inhabited.contains(&name),
                name,
                tenant: labelled(&labels, identifiers::TENANT),
                operation: labelled(&labels, identifiers::OPERATION),
                created_at: item
                    .metadata
                    .creation_timestamp
                    .and_then(|time| created_at(&time.0.to_string())),
                terminating: item.metadata.deletion_timestamp.is_some(),
            }
        }));
        match next {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(owned),
        }
    }
}

fn created_at(time: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.to_utc())
}

fn labelled<T: std::str::FromStr>(labels: &BTreeMap<String, String>, key: &str) -> Option<T> {
    labels.get(key)?.parse().ok()
}

/// Refuses a namespace that is not this tenant's of this installation.
fn owned(namespace: &Namespace, placement: &Placement) -> Result<(), ClusterError> {
    let none = BTreeMap::new();
    let labels = namespace.metadata.labels.as_ref().unwrap_or(&none);
    let label = |key: &str| labels.get(key).map(String::as_str);
    let ours = label(identifiers::INSTALLATION) == Some(placement.installation.to_string().as_str())
        && label(identifiers::TENANT) == Some(placement.tenant.to_string().as_str());
    if ours {
        return Ok(());
    }
    let owner = match (label(identifiers::INSTALLATION), label(identifiers::MANAGED_BY)) {
        (Some(installation), _) => format!("another installation of Tenantry, {installation}"),
        (None, Some(manager)) => manager.to_owned(),
        (None, None) => "somebody else: it has none of our labels".to_owned(),
    };
    Err(ClusterError::NamespaceNotOurs {
        namespace: placement.namespace.clone(),
        owner,
    })
}

fn described(placement: &Placement) -> String {
    format!("Namespace {}", placement.namespace)
}
