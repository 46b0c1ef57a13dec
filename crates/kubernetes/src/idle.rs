//! Whether anything runs in a tenant's namespace. As long as something does, its policies and bounds stay.

use std::collections::HashSet;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::Pod,
};
use kube::{Api, Client, api::ListParams};
use tenantry_domain::{
    ids::InstallationId,
    provisioning::{ClusterError, Placement, cluster::Fence, identifiers},
};

use crate::{
    apply::{Kind, remove_listed},
    errors::call,
    readiness::of_release,
};

/// Asks every pod to end, also one that nobody's chart made: the namespace is about to lose what keeps it in.
pub(crate) async fn end_pods(client: &Client, placement: &Placement, fence: &dyn Fence) -> Result<(), ClusterError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &placement.namespace);
    remove_listed(&pods, &ListParams::default(), fence, |pod| {
        pod.deletion_timestamp.is_none()
    })
    .await
}

/// No pod is left but those that have run to their end, and nothing of the release that would make another. The release's
/// workloads outlive their pods, since it is uninstalled in the foreground.
pub(crate) async fn is_idle(client: &Client, placement: &Placement) -> Result<bool, ClusterError> {
    let of_release = of_release(placement);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &placement.namespace);
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), &placement.namespace);
    let pods: Api<Pod> = Api::namespaced(client.clone(), &placement.namespace);
    let (deployments, sets) = tokio::try_join!(
        call(
            "listing deployments",
            "deployments.apps",
            deployments.list_metadata(&of_release)
        ),
        call(
            "listing stateful sets",
            "statefulsets.apps",
            sets.list_metadata(&of_release)
        ),
    )?;
    if !deployments.items.is_empty() || !sets.items.is_empty() {
        return Ok(false);
    }
    // The pods last: what could have made one is known to be gone.
    let pods = call("listing pods", "pods", pods.list(&ListParams::default())).await?;
    Ok(pods.iter().all(has_ended))
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Namespaces in which a workload carries the installation's label.
pub(crate) async fn namespaces_with_workloads(
    client: &Client,
    installation: InstallationId,
) -> Result<HashSet<String>, ClusterError> {
    let (deployments, sets) = tokio::try_join!(
        namespaces_of::<Deployment>(client, installation),
        namespaces_of::<StatefulSet>(client, installation),
    )?;
    Ok(deployments.into_iter().chain(sets).collect())
}

async fn namespaces_of<K: Kind>(client: &Client, installation: InstallationId) -> Result<Vec<String>, ClusterError> {
    const PAGE: u32 = 500;
    let api: Api<K> = Api::all(client.clone());
    let mut params = ListParams::default()
        .labels(&format!("{}={installation}", identifiers::INSTALLATION))
        .limit(PAGE);
    let mut namespaces = Vec::new();
    loop {
        let page = call("listing workloads", &K::plural(&()), api.list_metadata(&params)).await?;
        let next = page.metadata.continue_.clone().filter(|token| !token.is_empty());
        namespaces.extend(page.items.into_iter().filter_map(|item| item.metadata.namespace));
        match next {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(namespaces),
        }
    }
}
