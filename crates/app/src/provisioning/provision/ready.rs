//! Step: the pods run. What keeps them from it is said at once, and given up on sooner when it seldom passes by itself.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tenantry_domain::provisioning::cluster::{Obstacle, Readiness};
use tenantry_operations::{Failure, Step, StepContext, StepError, StepPolicy};

use super::{Provision, release::Release};
use crate::provisioning::{failure, steps::placement};

/// The watch wakes us when the pods turn ready; this is for when that signal is lost.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Large images and busy nodes take minutes, a new node a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// A wrong image name or a program that crashes does not mend itself; a registry that hiccups does within this time.
const PATIENCE_WITH_STUBBORN: TimeDelta = TimeDelta::seconds(45);

pub(super) struct Ready;

#[async_trait]
impl Step<Provision> for Ready {
    const NAME: &'static str = "ready";
    type Output = ();

    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT.not_yet_deadline(PATIENCE)
    }

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        match app
            .cluster
            .readiness(&placement(cx))
            .await
            .map_err(failure::of_cluster)?
        {
            Readiness::Ready => Ok(()),
            Readiness::Waiting(obstacle) => {
                let waited = app.clock.now() - cx.output::<Release>()?.at;
                if obstacle.stubborn && waited > PATIENCE_WITH_STUBBORN {
                    return Err(given_up(&obstacle));
                }
                Err(StepError::not_yet(obstacle.detail, ASK_AGAIN))
            }
        }
    }

    /// The release's own undo removes the pods.
    async fn undo(&self, _cx: &StepContext<Provision>) -> Result<(), StepError> {
        Ok(())
    }
}

fn given_up(obstacle: &Obstacle) -> StepError {
    let detail = match obstacle.code {
        "image_cannot_be_pulled" => "The product's image could not be fetched.",
        "container_crashes" => "The product ends by itself each time it is started.",
        "quota_exceeded" => "The site needs more than its plan provides.",
        _ => "The product does not start.",
    };
    Failure::new(obstacle.code, detail)
        .technical(&obstacle.detail)
        .into_give_up()
}
