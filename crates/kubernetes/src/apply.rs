//! Server-side apply, and its reverse by label.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, Preconditions},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenantry_domain::provisioning::{ClusterError, Placement, cluster::Fence, identifiers};

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

/// How often what is to be removed is looked at again because somebody wrote to it in between: controllers do.
const ROUNDS: usize = 5;

/// Removes every object of a kind that is labelled as this tenant's. Fine when there is none, or no namespace. An object
/// that was written to after the fence was asked is left alone and looked at again.
pub(crate) async fn remove_all<K: Kind>(
    client: &Client,
    placement: &Placement,
    fence: &dyn Fence,
) -> Result<(), ClusterError> {
    let api: Api<K> = Api::namespaced(client.clone(), &placement.namespace);
    let ours = ListParams::default().labels(&selector(placement));
    remove_listed(&api, &ours, fence, |_| true).await
}

/// Removes what a list finds and `pick` wants, each exactly as it was when the list was read.
pub(crate) async fn remove_listed<K: Kind>(
    api: &Api<K>,
    list: &ListParams,
    fence: &dyn Fence,
    pick: fn(&ObjectMeta) -> bool,
) -> Result<(), ClusterError> {
    let resource = K::plural(&()).into_owned();
    let mut last = Ok(());
    for _ in 0..ROUNDS {
        let found = call("listing objects", &resource, api.list_metadata(list)).await?;
        let picked: Vec<ObjectMeta> = found.into_iter().map(|object| object.metadata).filter(pick).collect();
        if picked.is_empty() {
            return Ok(());
        }
        fence.check().await?;
        last = remove_each(api, &resource, picked).await;
        if !matches!(last, Err(ClusterError::Conflict { .. })) {
            return last;
        }
    }
    last
}

async fn remove_each<K: Kind>(api: &Api<K>, resource: &str, found: Vec<ObjectMeta>) -> Result<(), ClusterError> {
    let mut outcome = Ok(());
    for object in found {
        let Some(name) = &object.name else { continue };
        match call("removing an object", resource, api.delete(name, &exactly(&object))).await {
            Ok(_) | Err(ClusterError::NotFound { .. }) => {}
            Err(error @ ClusterError::Conflict { .. }) => outcome = Err(error),
            Err(error) => return Err(error),
        }
    }
    outcome
}

/// A removal that is refused once the object was replaced or written to.
pub(crate) fn exactly(object: &ObjectMeta) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
        }),
        ..DeleteParams::background()
    }
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
