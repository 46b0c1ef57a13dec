//! The job that tells the operator of an operation that gave up or is stuck.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tenantry_domain::{ids::OperationId, mail::Message};
use tenantry_operations::{
    HookResult, OperationContext, StepState,
    jobs::{self, Job, JobContext, JobError, NewJob},
    load_progress,
};
use tenantry_postgres::provisioning::{operations, overview, tenants};

use super::steps::OnTenant;
use crate::{App, error::Fault, mail};

/// Writes one mail.
#[derive(Debug)]
pub struct ReportFailure;

/// Which operation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    operation: OperationId,
    attempt: i32,
}

/// Queues the report in the transaction that settles the operation.
pub(super) async fn enqueue<O: OnTenant>(tx: &mut PgConnection, operation: &OperationContext<O>) -> HookResult {
    let payload = Payload {
        operation: OperationId::from_uuid(operation.id()),
        attempt: operation.operation_attempt(),
    };
    let job = NewJob::of::<ReportFailure>(&payload)?
        .unique_key(format!("report:{}:{}", payload.operation, payload.attempt))
        .trace_id(operation.trace_id().map(str::to_owned));
    jobs::enqueue(tx, job).await?;
    Ok(())
}

#[async_trait]
impl Job for ReportFailure {
    const KIND: &'static str = "tenant.report_failure";
    type Context = App;
    type Payload = Payload;

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        report(cx.context(), &payload, cx.trace_id())
            .await
            .map_err(|fault| JobError::retry("report_failed", fault.to_string()))
    }
}

async fn report(app: &App, payload: &Payload, trace: Option<&str>) -> Result<(), Fault> {
    let Some(to) = app.settings.operator_email.as_deref() else {
        return Ok(());
    };
    let mut tx = app.database.system("tell the operator of a failure").await?;
    let Some(operation) = operations::find(&mut tx, payload.operation).await? else {
        return Ok(());
    };
    let Some(tenant) = tenants::find(&mut tx, operation.tenant).await? else {
        return Ok(());
    };
    let organization = overview::names_of(&mut tx, &[tenant.organization.uuid()])
        .await?
        .into_iter()
        .next();
    let progress = load_progress(tx.connection(), payload.operation.uuid())
        .await
        .map_err(tenantry_postgres::DatabaseError::from)?;
    let step = progress.as_ref().and_then(|progress| {
        progress
            .steps
            .iter()
            .find(|step| step.undo_failure.is_some() && step.state == StepState::UndoFailed)
            .or_else(|| progress.steps.iter().rev().find(|step| step.failure.is_some()))
    });
    let failure = progress.as_ref().and_then(|progress| progress.failure.as_ref());
    let message = Message::ProvisioningFailed {
        organization: organization.map(|(_, _, name)| name).unwrap_or_default(),
        tenant: tenant.name,
        step: step.map_or_else(
            || operation.kind.clone(),
            |step| super::step_title(&step.name).to_owned(),
        ),
        reason: failure.map_or_else(String::new, |failure| {
            let technical = failure.technical.as_deref().unwrap_or_default();
            format!("{} ({}) {technical}", failure.detail, failure.code)
        }),
        link: app
            .settings
            .operator_link(&format!("/operator/operations/{}", payload.operation)),
    };
    mail::queue_in(
        &mut tx,
        app,
        trace,
        &format!("operation_failed:{}:{}", payload.operation, payload.attempt),
        to,
        message,
    )
    .await?;
    Ok(tx.commit().await?)
}
