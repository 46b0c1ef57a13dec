//! Taking back what provisioning made: the undo of its steps, and the steps of deprovisioning.
//!
//! Each is safe to repeat, and fine when there is nothing (any more).

use std::time::Duration;

use tenantry_domain::provisioning::{ClusterError, cluster::Part};
use tenantry_operations::{StepContext, StepError};

use super::{
    failure,
    steps::{OnTenant, placement},
};

/// The watch wakes a waiting operation; this is how long it sleeps where that signal is lost.
const ASK_AGAIN: Duration = Duration::from_millis(500);

pub(super) async fn remove_release<O: OnTenant>(cx: &StepContext<O>) -> Result<(), StepError> {
    let turn = cx.context().cluster.helm_turn().await;
    cx.fence().await?;
    cx.context()
        .cluster
        .remove_release(&placement(cx), turn)
        .await
        .map_err(failure::of_cluster)
}

pub(super) async fn remove_part<O: OnTenant>(cx: &StepContext<O>, part: Part) -> Result<(), StepError> {
    cx.fence().await?;
    cx.context()
        .cluster
        .remove(&placement(cx), part)
        .await
        .map_err(failure::of_cluster)
}

/// Removes the namespace and waits until nothing of it is left. One of somebody else under its name is not the tenant's
/// and stays.
pub(super) async fn remove_namespace<O: OnTenant>(cx: &StepContext<O>) -> Result<(), StepError> {
    let (cluster, placement) = (&cx.context().cluster, placement(cx));
    cx.fence().await?;
    match cluster.remove_namespace(&placement).await {
        Ok(()) => {}
        Err(ClusterError::NamespaceNotOurs { .. }) => return Ok(()),
        Err(error) => return Err(failure::of_cluster(error)),
    }
    if cluster.namespace_gone(&placement).await.map_err(failure::of_cluster)? {
        Ok(())
    } else {
        Err(StepError::not_yet("the namespace is being emptied", ASK_AGAIN))
    }
}
