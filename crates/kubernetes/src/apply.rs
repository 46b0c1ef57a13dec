//! Server-side apply, and its reverse by label.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenantry_domain::provisioning::{ClusterError, Placement, identifiers};

use crate::errors::call;

/// The one field manager.
pub(crate) const FIELD_MANAGER: &str = "tenantry";

/// Name of every object that exists once in a tenant's namespace.
pub(crate) const OBJECT_NAME: &str = "tenantry";

/// A kind that lives in namespaces.
pub(crate) trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug
{
}
impl<K> Kind for K where K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug
{}

/// Applies one object in the tenant's namespace. `body` holds everything but kind and metadata, which are filled in.
/// Inside its own namespace Tenantry is the authority: fields that others took over are taken back.
pub(crate) async fn apply<K: Kind>(
    client: &Client,
    placement: &Placement,
    name: &str,
    mut body: Value,
) -> Result<K, ClusterError> {
    let kind = K::kind(&());
    body["apiVersion"] = K::api_version(&()).into();
    body["kind"] = kind.clone().into();
    body["metadata"] = json!({"name": name, "namespace": placement.namespace, "labels": placement.labels()});
    let api: Api<K> = Api::namespaced(client.clone(), &placement.namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let resource = format!("{kind} {name}");
    call(
        "applying an object",
        &resource,
        api.patch(name, &params, &Patch::Apply(&body)),
    )
    .await
}

/// Removes every object of a kind that is labelled as this tenant's. Fine when there is none, or no namespace.
pub(crate) async fn remove_all<K: Kind>(client: &Client, placement: &Placement) -> Result<(), ClusterError> {
    let api: Api<K> = Api::namespaced(client.clone(), &placement.namespace);
    let ours = ListParams::default().labels(&selector(placement));
    let resource = K::plural(&()).into_owned();
    let found = call("listing objects", &resource, api.list_metadata(&ours)).await?;
    for object in found {
        let Some(name) = object.metadata.name else { continue };
        match call(
            "removing an object",
            &resource,
            api.delete(&name, &DeleteParams::background()),
        )
        .await
        {
            Ok(_) | Err(ClusterError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Selects what belongs to the tenant and was written by Tenantry itself, not by the chart.
fn selector(placement: &Placement) -> String {
    format!(
        "{}={},{}={},{}={}",
        identifiers::MANAGED_BY,
        identifiers::TENANTRY,
        identifiers::INSTALLATION,
        placement.installation,
        identifiers::TENANT,
        placement.tenant
    )
}
