//! Step: the account that the tenant's pods run under.

use async_trait::async_trait;
use tenantry_domain::provisioning::cluster::Part;
use tenantry_operations::{Step, StepContext, StepError};

use super::{Provision, namespace::keeps_what_is_there};
use crate::provisioning::{effects, failure, steps::placement};

pub(super) struct ServiceAccount;

#[async_trait]
impl Step<Provision> for ServiceAccount {
    const NAME: &'static str = "service_account";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        cx.fence().await?;
        cx.context()
            .cluster
            .apply_service_account(&placement(cx))
            .await
            .map_err(failure::of_cluster)
    }

    async fn undo(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        if keeps_what_is_there(cx)? {
            return Ok(());
        }
        effects::remove_part(cx, Part::ServiceAccount).await
    }
}
