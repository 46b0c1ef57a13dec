//! Step: the host is the tenant's for good. Queuing the operation has kept it already; this makes sure that it is so
//! when the tenant begins to answer.

use async_trait::async_trait;
use tenantry_operations::{Step, StepContext, StepError};
use tenantry_postgres::provisioning::domains;

use super::Provision;
use crate::provisioning::{failure, steps::fenced_system};

pub(super) struct Host;

#[async_trait]
impl Step<Provision> for Host {
    const NAME: &'static str = "host";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let mut tx = fenced_system(cx, "keep a tenant's host").await?;
        domains::keep(&mut tx, cx.params().tenant)
            .await
            .map_err(failure::of_database)?;
        tx.commit().await.map_err(failure::of_database)
    }

    /// The host was paid for, so it stays the tenant's while attempts go on; deprovisioning gives it back.
    async fn undo(&self, _cx: &StepContext<Provision>) -> Result<(), StepError> {
        Ok(())
    }
}
