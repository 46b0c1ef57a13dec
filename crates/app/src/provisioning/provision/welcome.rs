//! Step: the owner hears that the site runs. Queued once for each tenant, however often the step runs.

use async_trait::async_trait;
use tenantry_domain::mail::Message;
use tenantry_operations::{Step, StepContext, StepError};

use super::Provision;
use crate::{
    mail,
    provisioning::{blueprint::Blueprint, failure, steps::fenced_system},
};

pub(super) struct Welcome;

#[async_trait]
impl Step<Provision> for Welcome {
    const NAME: &'static str = "welcome";
    type Output = ();

    async fn act(&self, cx: &StepContext<Provision>) -> Result<(), StepError> {
        let (app, subject) = (cx.context(), cx.params());
        // A tenant that is mended has been welcomed already.
        if subject.has_run {
            return Ok(());
        }
        let blueprint = Blueprint::load(app, subject).await?;
        let Some(to) = blueprint.owner_email else { return Ok(()) };
        let message = Message::TenantReady {
            organization: blueprint.organization_name,
            tenant: subject.name.clone(),
            link: app.settings.tenant_url(&blueprint.host),
            host: blueprint.host,
        };
        let mut tx = fenced_system(cx, "queue a mail").await?;
        let is_wanted = mail::is_wanted(&mut tx, &to, |chosen| chosen.tenant_ready)
            .await
            .map_err(failure::of_fault)?;
        if !is_wanted {
            return Ok(());
        }
        let cause = format!("tenant_ready:{}", subject.tenant);
        mail::queue_in(&mut tx, app, cx.trace_id(), &cause, &to, message)
            .await
            .map_err(failure::of_fault)?;
        tx.commit().await.map_err(failure::of_database)
    }

    /// The last step: nothing can give up after it.
    async fn undo(&self, _cx: &StepContext<Provision>) -> Result<(), StepError> {
        Ok(())
    }
}
