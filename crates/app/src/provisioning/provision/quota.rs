//! Step: the bounds of the plan, in force before anything is created under them.

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::provisioning::cluster::Part;
use tenantry_operations::{Step, StepContext, StepError};

use super::{Provision, namespace::keeps_what_is_there};
use crate::provisioning::{blueprint::Blueprint, effects, failure, steps::placement};

/// The cluster usually says so within a tenth of a second, and the watch wakes us then.
const ASK_AGAIN: Duration = Duration::from_millis(250);

pub(super) struct Quota;

#[async_trait]
impl Step<Provision> for Quota {
    const NAME: &'static str = "quota";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        let quota = Blueprint::load(app, cx.params()).await?.quota;
        let placement = placement(cx);
        cx.fence().await?;
        app.cluster
            .apply_quota(&placement, &quota)
            .await
            .map_err(failure::of_cluster)?;
        if app
            .cluster
            .quota_in_force(&placement)
            .await
            .map_err(failure::of_cluster)?
        {
            Ok(())
        } else {
            Err(StepError::not_yet(
                "quota_not_in_force",
                "the plan's limits to be in force",
                ASK_AGAIN,
            ))
        }
    }

    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_part(cx, Part::Quota).await
    }
}
