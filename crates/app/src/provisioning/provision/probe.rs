//! Step: the tenant answers a stranger, through the ingress, under its own host.

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::provisioning::cluster::{Probe as Question, ProbeAnswer};
use tenantry_operations::{Failure, Step, StepContext, StepError, StepPolicy};

use super::Provision;
use crate::provisioning::{blueprint::Blueprint, failure};

/// An ingress controller usually knows a new host within a few of these.
const ASK_AGAIN: Duration = Duration::from_millis(200);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5 * 60);

pub(super) struct Probe;

#[async_trait]
impl Step<Provision> for Probe {
    const NAME: &'static str = "probe";
    type Output = ();

    fn policy(&self) -> StepPolicy {
        StepPolicy::DEFAULT.not_yet_deadline(PATIENCE)
    }

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        let blueprint = Blueprint::load(app, cx.params()).await?;
        let question = Question {
            address: app.settings.ingress_address,
            scheme: app.settings.tenant_scheme.clone(),
            port: app.settings.tenant_port,
            host: blueprint.host,
            path: blueprint.workload.health_path,
            timeout: ANSWER_WITHIN,
        };
        match app.cluster.probe(&question).await.map_err(failure::of_cluster)? {
            ProbeAnswer::Healthy => Ok(()),
            ProbeAnswer::Status(status) => Err(Failure::new(
                "site_answers_otherwise",
                "the site to answer as it should",
            )
            .technical(format_args!("it answers with status {status}"))
            .into_not_yet(ASK_AGAIN)),
            ProbeAnswer::NoAnswer(why) => Err(Failure::new("site_does_not_answer", "the site to answer")
                .technical(why)
                .into_not_yet(ASK_AGAIN)),
        }
    }

    /// Asking changes nothing.
    async fn undo(&self, _cx: &StepContext<Provision>) -> Result<(), StepError> {
        Ok(())
    }
}
