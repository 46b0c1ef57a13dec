//! Taking back what provisioning made: the undo of its steps, and the steps of deprovisioning.
//!
//! Each is safe to repeat, and fine when there is nothing (any more).

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::provisioning::{
    ClusterError,
    cluster::{Fence, Part},
};
use tenantry_operations::{StepContext, StepError};

use super::{
    failure,
    steps::{OnTenant, placement},
};

/// The watch wakes a waiting operation; this is how long it sleeps where that signal is lost.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The operation's lease, as the fence of an act in the cluster.
pub(super) struct Lease<'a, O: OnTenant>(pub(super) &'a StepContext<O>);

#[async_trait]
impl<O: OnTenant> Fence for Lease<'_, O> {
    async fn check(&self) -> Result<(), ClusterError> {
        self.0.fence().await.map_err(|error| match error {
            StepError::Superseded => ClusterError::Superseded,
            other => ClusterError::FenceUnanswered {
                detail: other.to_string(),
            },
        })
    }
}

/// Uninstalls the release, and waits until nothing of it runs: what is removed next is what kept it in.
pub(super) async fn remove_release<O: OnTenant>(cx: &StepContext<O>) -> Result<(), StepError> {
    let (cluster, placement) = (&cx.context().cluster, placement(cx));
    let turn = cluster.helm_turn().await;
    cluster
        .remove_release(&placement, turn, &Lease(cx))
        .await
        .map_err(failure::of_cluster)?;
    if cluster.is_idle(&placement).await.map_err(failure::of_cluster)? {
        Ok(())
    } else {
        Err(StepError::not_yet("still_ending", "what ran there to end", ASK_AGAIN))
    }
}

pub(super) async fn remove_part<O: OnTenant>(cx: &StepContext<O>, part: Part) -> Result<(), StepError> {
    cx.context()
        .cluster
        .remove(&placement(cx), part, &Lease(cx))
        .await
        .map_err(failure::of_cluster)
}

/// Removes the namespace and waits until nothing of it is left. One of somebody else under its name is not the tenant's
/// and stays.
pub(super) async fn remove_namespace<O: OnTenant>(cx: &StepContext<O>) -> Result<(), StepError> {
    let (cluster, placement) = (&cx.context().cluster, placement(cx));
    match cluster.remove_namespace(&placement, &Lease(cx)).await {
        Ok(()) => {}
        Err(ClusterError::NamespaceNotOurs { .. }) => return Ok(()),
        Err(error) => return Err(failure::of_cluster(error)),
    }
    if cluster.namespace_gone(&placement).await.map_err(failure::of_cluster)? {
        Ok(())
    } else {
        Err(StepError::not_yet(
            "namespace_being_emptied",
            "the place to be cleared",
            ASK_AGAIN,
        ))
    }
}
