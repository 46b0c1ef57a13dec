//! Step: the namespace, which everything else of the tenant goes into.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenantry_domain::provisioning::cluster::NamespaceApplied;
use tenantry_operations::{Step, StepContext, StepError};

use super::Provision;
use crate::provisioning::{effects, failure, steps::placement};

pub(super) struct Namespace;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Made {
    /// Whether it was there before, from an earlier life of the tenant.
    taken_up: bool,
}

#[async_trait]
impl Step<Provision> for Namespace {
    const NAME: &'static str = "namespace";
    type Output = Made;

    async fn act(&self, cx: &StepContext<Provision>) -> Result<Made, StepError> {
        cx.fence().await?;
        let applied = cx
            .context()
            .cluster
            .apply_namespace(&placement(cx))
            .await
            .map_err(failure::of_cluster)?;
        Ok(Made {
            taken_up: applied == NamespaceApplied::TakenUp,
        })
    }

    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_namespace(cx).await
    }
}

/// Whether an attempt that gives up leaves everything where it is. What a tenant has kept that has run before, most of all
/// its data, is not thrown away because mending it failed: only a namespace that is known to have been made by this very
/// operation holds nothing older.
pub(super) fn keeps_what_is_there(cx: &StepContext<Provision>) -> Result<bool, StepError> {
    if !cx.params().has_run {
        return Ok(false);
    }
    let made = cx.find_output::<Namespace>()?;
    Ok(made.is_none_or(|made| made.taken_up))
}
