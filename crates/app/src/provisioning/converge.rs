//! The job that compares what is wanted of a tenant with what is, and queues an operation where they differ.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tenantry_domain::{
    ids::TenantId,
    provisioning::convergence::{Activity, NextStep, Observed, Situation},
};
use tenantry_operations::{
    HookResult,
    jobs::{self, Job, JobContext, JobError, NewJob},
};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    provisioning::{operations, tenants},
};

use super::start::{self, StartError};
use crate::{App, error::Fault};

const ACTOR: &str = "tenantry";

/// Looks at one tenant.
#[derive(Debug)]
pub struct Converge;

/// Which tenant.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    tenant: TenantId,
}

/// Queues a look at a tenant, at once or at the time of an appointment.
pub(super) async fn enqueue(
    tx: &mut PgConnection,
    tenant: TenantId,
    at: Option<DateTime<Utc>>,
    trace: Option<&str>,
) -> HookResult {
    let mut job = NewJob::of::<Converge>(&Payload { tenant })?
        .unique_key(format!("converge:{tenant}"))
        .trace_id(trace.map(str::to_owned));
    if let Some(at) = at {
        job = job.run_at(at);
    }
    jobs::enqueue(tx, job).await?;
    Ok(())
}

/// Queues a look at a tenant of which something else is wanted from now on: one that failed and gave up its appointment
/// while it was not paid for is made again.
///
/// # Errors
/// When the ledger does not answer.
pub(crate) async fn look_again(tx: &mut SystemTx, tenant: TenantId, trace: Option<&str>) -> Result<(), Fault> {
    let queued = enqueue(tx.connection(), tenant, None, trace).await;
    queued.map_err(|error| match start::unexpected(error) {
        StartError::Fault(fault) => fault,
        other => DatabaseError::from(sqlx::Error::Configuration(Box::new(other))).into(),
    })
}

#[async_trait]
impl Job for Converge {
    const KIND: &'static str = "tenant.converge";
    type Context = App;
    type Payload = Payload;

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        converge(cx.context(), payload.tenant, Observed::Unknown, cx.trace_id())
            .await
            .map_err(|error| match error {
                StartError::Fault(fault) => JobError::retry("converge_failed", fault.to_string()),
                other => JobError::give_up("converge_refused", other.to_string()),
            })
    }
}

/// Queues the operation that brings a tenant nearer to what is wanted of it, if one is needed.
pub(super) async fn converge(
    app: &App,
    id: TenantId,
    observed: Observed,
    trace: Option<&str>,
) -> Result<(), StartError> {
    let mut tx = app.database.system("compare a tenant with what is wanted").await?;
    let Some(tenant) = tenants::lock(&mut tx, id).await? else {
        return Ok(());
    };
    let activity = match operations::current(&mut tx, id).await? {
        None => Activity::Idle,
        Some(operation) if operation.is_stuck() => Activity::Stuck,
        Some(_) => Activity::AtWork,
    };
    let situation = Situation {
        desired: tenant.desired,
        state: tenant.state,
        observed,
        activity,
        retry_at: tenant.retry_at,
    };
    match situation.next_step(app.clock.now()) {
        NextStep::Rest => return Ok(()),
        NextStep::WaitUntil(at) => enqueue(tx.connection(), id, Some(at), trace)
            .await
            .map_err(start::unexpected)?,
        NextStep::Provision => {
            let cause = match observed {
                Observed::Missing => "the namespace, or what runs in it, is missing".to_owned(),
                _ => format!("automatic attempt {}", tenant.attempt.saturating_add(1)),
            };
            match start::start_provision(&mut tx, app, id, &cause, ACTOR, trace).await {
                Ok(_) => {}
                // Until it is paid for again there is nothing to do, and nothing to report.
                Err(StartError::NotEntitled) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        NextStep::Deprovision => {
            start::start_deprovision(&mut tx, app, id, "it is no longer wanted", ACTOR, trace).await?;
        }
    }
    Ok(tx.commit().await?)
}
