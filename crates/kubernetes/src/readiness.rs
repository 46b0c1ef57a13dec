//! Whether a release's workloads run.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{Api, Client, api::ListParams};
use tenantry_domain::provisioning::{
    ClusterError, Placement,
    cluster::{Obstacle, Readiness},
};

use crate::{diagnosis, errors::call};

/// Label that charts put on what belongs to a release.
pub(crate) fn of_release(placement: &Placement) -> ListParams {
    ListParams::default().labels(&format!("app.kubernetes.io/instance={}", placement.release))
}

pub(crate) async fn observe(client: &Client, placement: &Placement) -> Result<Readiness, ClusterError> {
    let of_release = of_release(placement);
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &placement.namespace);
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), &placement.namespace);
    let (deployments, sets) = tokio::try_join!(
        call("listing deployments", "deployments.apps", deployments.list(&of_release)),
        call("listing stateful sets", "statefulsets.apps", sets.list(&of_release)),
    )?;
    if deployments.items.is_empty() && sets.items.is_empty() {
        return Ok(Readiness::Waiting(Obstacle {
            code: "no_workload",
            detail: "the chart has not made anything that runs yet".to_owned(),
            stubborn: true,
        }));
    }
    if deployments.iter().all(deployment_is_available) && sets.iter().all(set_is_available) {
        return Ok(Readiness::Ready);
    }
    diagnosis::diagnose(client, placement, &deployments.items)
        .await
        .map(Readiness::Waiting)
}

/// As many pods of the newest generation are available as were asked for.
pub(crate) fn deployment_is_available(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    deployment.status.as_ref().is_some_and(|status| {
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas.unwrap_or(0) >= wanted
            && status.available_replicas.unwrap_or(0) >= wanted
    })
}

fn set_is_available(set: &StatefulSet) -> bool {
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    set.status.as_ref().is_some_and(|status| {
        status.observed_generation >= set.metadata.generation
            && status.updated_replicas.unwrap_or(0) >= wanted
            && status.available_replicas.unwrap_or(0) >= wanted
    })
}
