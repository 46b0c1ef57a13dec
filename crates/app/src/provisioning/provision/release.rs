//! Step: the Helm release. Its pods are waited for by the next step, without holding a worker.

use async_trait::async_trait;
use tenantry_domain::provisioning::cluster::ReleaseRequest;
use tenantry_operations::{Step, StepContext, StepError, StepPolicy};

use super::{Provision, namespace::keeps_what_is_there};
use crate::provisioning::{
    blueprint::Blueprint,
    effects::{self, Lease},
    failure,
    steps::placement,
};

/// With their pauses, a minute on average.
const ATTEMPTS: u32 = 10;

pub(super) struct Release;

#[async_trait]
impl Step<Provision> for Release {
    const NAME: &'static str = "release";
    type Output = ();

    /// An admission webhook that is being renewed is away for up to a minute or two.
    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT.max_attempts(ATTEMPTS)
    }

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        let blueprint = Blueprint::load(app, cx.params()).await?;
        let request = ReleaseRequest {
            chart: app.settings.chart_directory.join(&blueprint.workload.chart),
            values: blueprint.values(app, cx.params())?,
        };
        let turn = app.cluster.helm_turn().await;
        app.cluster
            .apply_release(&placement(cx), &request, turn, &Lease(cx))
            .await
            .map_err(failure::of_cluster)
    }

    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_release(cx).await
    }
}
