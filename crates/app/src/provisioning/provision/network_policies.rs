//! Step: nothing passes but what the product needs.

use async_trait::async_trait;
use tenantry_domain::provisioning::cluster::{Openings, Part};
use tenantry_operations::{Step, StepContext, StepError};

use super::{Provision, namespace::keeps_what_is_there};
use crate::provisioning::{blueprint::Blueprint, effects, failure, steps::placement};

pub(super) struct NetworkPolicies;

#[async_trait]
impl Step<Provision> for NetworkPolicies {
    const NAME: &'static str = "network_policies";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let app = cx.context();
        let workload = Blueprint::load(app, cx.params()).await?.workload;
        let openings = Openings {
            product_port: workload.port,
            ingress_namespace: app.settings.ingress_namespace.clone(),
            egress: workload.egress,
        };
        cx.fence().await?;
        app.cluster
            .apply_network_policies(&placement(cx), &openings)
            .await
            .map_err(failure::of_cluster)
    }

    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_part(cx, Part::NetworkPolicies).await
    }
}
