//! Step: the pods run. What keeps them from it is said at once, and given up on sooner when it seldom passes by itself.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tenantry_domain::provisioning::cluster::{Obstacle, Readiness};
use tenantry_operations::{Failure, Step, StepContext, StepError, StepPolicy};

use super::Provision;
use crate::provisioning::{
    failure::{self, NEEDS_MORE},
    steps::placement,
};

/// The watch wakes us when the pods turn ready; this is for when that signal is lost.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Large images and busy nodes take minutes, a new node a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// A wrong image name or a program that crashes does not mend itself; a registry that hiccups does within this time. It
/// counts from when the obstacle appeared. What was over sooner did not end it: between two crashes a program starts.
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
        match cx
            .context()
            .cluster
            .readiness(&placement(cx))
            .await
            .map_err(failure::of_cluster)?
        {
            Readiness::Ready => Ok(()),
            Readiness::Waiting(obstacle) => {
                let waited = cx.waited_for(obstacle.code, PATIENCE_WITH_STUBBORN);
                Err(if obstacle.stubborn && waited > PATIENCE_WITH_STUBBORN {
                    given_up(&obstacle)
                } else {
                    awaited(&obstacle)
                })
            }
        }
    }

    /// The release's own undo removes the pods.
    async fn undo(&self, _cx: &StepContext<Provision>) -> Result<(), StepError> {
        Ok(())
    }
}

/// What the cluster said names machines, registries, other tenants: it is for operators. Customers read this.
fn awaited(obstacle: &Obstacle) -> StepError {
    let detail = match obstacle.code {
        "waiting_for_capacity" => "room for the site",
        "image_cannot_be_pulled" => "the product's image, which could not be fetched so far",
        "container_crashes" => "the product, which ended by itself",
        "quota_exceeded" => "room within the plan's limits",
        _ => "the product to start",
    };
    Failure::new(obstacle.code, detail)
        .technical(&obstacle.detail)
        .into_not_yet(ASK_AGAIN)
}

fn given_up(obstacle: &Obstacle) -> StepError {
    let detail = match obstacle.code {
        "image_cannot_be_pulled" => "The product's image could not be fetched.",
        "container_crashes" => "The product ends by itself each time it is started.",
        "quota_exceeded" => NEEDS_MORE,
        _ => "The product does not start.",
    };
    Failure::new(obstacle.code, detail)
        .technical(&obstacle.detail)
        .into_give_up()
}
