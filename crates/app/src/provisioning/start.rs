//! How operations begin: by payment, by an operator, by themselves.

use serde::Serialize;
use tenantry_domain::{
    ids::{OperationId, OrganizationId, TenantId},
    provisioning::{DesiredState, IllegalMove, TenantState},
};
use tenantry_operations::{self as engine, EnqueueError, Enqueued, NewOperation, Operation, RetryError};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::subscriptions,
    provisioning::{
        blueprints, domains, operations,
        tenants::{self, Tenant},
    },
};

use super::{
    Deprovision, Provision,
    names::CheckNameError,
    pending::{self, CreatePendingError, NewTenant},
    steps::Subject,
};
use crate::{
    App,
    audit::{self, Act},
    billing,
    error::Fault,
};

/// Why an operation could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such tenant.
    #[error("there is no such tenant")]
    TenantUnknown,
    /// No such operation.
    #[error("there is no such operation")]
    OperationUnknown,
    /// No such product or plan, or it is not delivered as tenants.
    #[error("no product of that key has such a plan, or it does not run as tenants")]
    PlanUnknown,
    /// The tenant is in no state for it.
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    /// Another operation has not ended.
    #[error("operation {operation} on this tenant has not ended")]
    AlreadyRunning {
        /// Which one.
        operation: OperationId,
    },
    /// Only what is stuck or failed can be retried.
    #[error("there is nothing to retry: the operation is neither stuck nor failed")]
    NothingToRetry,
    /// What was bought does not allow it to run.
    #[error("the tenant's subscription does not allow it to run: see to the payment first")]
    NotEntitled,
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] CheckNameError),
    /// The confirmation is not the tenant's name.
    #[error("to confirm, repeat the tenant's name: {name}")]
    NotConfirmed {
        /// What would have confirmed it.
        name: String,
    },
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DatabaseError> for StartError {
    fn from(error: DatabaseError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<EnqueueError> for StartError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Params(error) => Self::Fault(error.into()),
            EnqueueError::Database(error) => Self::Fault(DatabaseError::from(error).into()),
            EnqueueError::Contended => Self::Fault(DatabaseError::from(sqlx::Error::WorkerCrashed).into()),
        }
    }
}

/// A failure of the queue inside a use case.
pub(super) fn unexpected(error: engine::HookError) -> StartError {
    let error = match error.downcast::<sqlx::Error>() {
        Ok(error) => *error,
        Err(other) => sqlx::Error::Configuration(other),
    };
    StartError::Fault(DatabaseError::from(error).into())
}

/// What became of a wish to start an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "operation")]
pub enum Started {
    /// It is queued.
    Queued(OperationId),
    /// One of the same kind has not ended.
    AlreadyRunning(OperationId),
    /// Another one has not ended; what is wanted is kept, and queued when it ends.
    Follows(OperationId),
}

impl Started {
    /// The operation that is at work.
    #[must_use]
    pub const fn operation(self) -> OperationId {
        match self {
            Self::Queued(id) | Self::AlreadyRunning(id) | Self::Follows(id) => id,
        }
    }
}

/// Queues the making of a tenant in the caller's transaction.
///
/// # Errors
/// When there is no such tenant, it is in no state to be made, or what was bought does not allow it to run.
pub async fn start_provision(
    tx: &mut SystemTx,
    app: &App,
    tenant: TenantId,
    cause: &str,
    actor: &str,
    trace: Option<&str>,
) -> Result<Started, StartError> {
    let row = tenants::lock(&mut *tx, tenant)
        .await?
        .ok_or(StartError::TenantUnknown)?;
    match operations::current(&mut *tx, tenant).await? {
        Some(current) if current.kind == Provision::KIND => return Ok(Started::AlreadyRunning(current.id)),
        // It is being removed: it cannot be had again, and whoever asked must not believe that it is being made.
        Some(current) => return Err(StartError::AlreadyRunning { operation: current.id }),
        None => {}
    }
    row.state.provision()?;
    check_entitled(tx, &row).await?;
    tenants::set_desired(&mut *tx, tenant, DesiredState::Running).await?;
    // From here on nobody else can take the name, however long making it takes.
    domains::keep(&mut *tx, tenant).await?;
    let subject = Subject::of(&row);
    let new = NewOperation::of::<Provision>(row.organization.uuid(), tenant.uuid(), &subject, cause, actor)?;
    queue(tx, app, &subject, new, trace, "tenant.provision").await
}

/// Refuses a tenant whose contract does not allow it to run, whoever asks. One that an operator gave away has no contract.
async fn check_entitled(tx: &mut SystemTx, tenant: &Tenant) -> Result<(), StartError> {
    if tenant.subscription.is_none() {
        return Ok(());
    }
    match tenants::access(tx, tenant.id).await? {
        Some(access) if access.runs() => Ok(()),
        Some(_) | None => Err(StartError::NotEntitled),
    }
}

/// Queues the removal of a tenant in the caller's transaction. One that is being made is removed when that has ended;
/// one whose operation is stuck is removed now.
///
/// # Errors
/// When there is no such tenant, or it is gone already.
pub async fn start_deprovision(
    tx: &mut SystemTx,
    app: &App,
    tenant: TenantId,
    cause: &str,
    actor: &str,
    trace: Option<&str>,
) -> Result<Started, StartError> {
    let row = tenants::lock(&mut *tx, tenant)
        .await?
        .ok_or(StartError::TenantUnknown)?;
    let current = operations::current(&mut *tx, tenant).await?;
    let is_being_removed = row.state == TenantState::Deprovisioning;
    if row.desired != DesiredState::Deleted && !is_being_removed {
        // Also while its making still runs: no appointment for another attempt at that is kept.
        tenants::forget_failures(&mut *tx, tenant).await?;
    }
    tenants::set_desired(&mut *tx, tenant, DesiredState::Deleted).await?;
    match current {
        Some(operation) if operation.is_stuck() => {
            engine::abandon(tx.connection(), operation.id.uuid())
                .await
                .map_err(retry_error)?;
        }
        Some(operation) if operation.kind == Deprovision::KIND => return Ok(Started::AlreadyRunning(operation.id)),
        Some(operation) => return Ok(Started::Follows(operation.id)),
        None => {}
    }
    row.state.deprovision()?;
    if !is_being_removed {
        // What failed so far was making it: the removal has attempts of its own.
        tenants::forget_failures(&mut *tx, tenant).await?;
    }
    let subject = Subject::of(&row);
    let new = NewOperation::of::<Deprovision>(row.organization.uuid(), tenant.uuid(), &subject, cause, actor)?;
    queue(tx, app, &subject, new, trace, "tenant.deprovision").await
}

async fn queue(
    tx: &mut SystemTx,
    app: &App,
    subject: &Subject,
    new: NewOperation,
    trace: Option<&str>,
    action: &'static str,
) -> Result<Started, StartError> {
    let actor = new.actor.clone();
    let cause = new.cause.clone();
    let started = match engine::enqueue(tx.connection(), new.trace_id(trace.map(str::to_owned))).await? {
        Enqueued::Queued(id) => Started::Queued(OperationId::from_uuid(id)),
        Enqueued::AlreadyRunning(id) => return Ok(Started::AlreadyRunning(OperationId::from_uuid(id))),
    };
    let target = subject.tenant.to_string();
    let body = serde_json::json!({"operation": started.operation(), "cause": cause});
    let act = Act::new(action, &actor)
        .organization(subject.organization)
        .target(&target)
        .body(body);
    audit::record(app, tx, act).await?;
    Ok(started)
}

/// What an operator wants to be made without a payment.
#[derive(Debug, Clone)]
pub struct ProvisionRequest<'a> {
    /// The tenant's identifier: asking for the same one again makes no second tenant.
    pub id: TenantId,
    /// For whom.
    pub organization: OrganizationId,
    /// Key of the product.
    pub product: &'a str,
    /// Key of the plan.
    pub plan: &'a str,
    /// Label of the host.
    pub name: &'a str,
}

/// Names a tenant and queues its making.
///
/// # Errors
/// When product, plan or name cannot be used.
pub async fn provision_for_operator(
    app: &App,
    request: &ProvisionRequest<'_>,
    actor: &str,
    trace: Option<&str>,
) -> Result<(TenantId, OperationId), StartError> {
    let mut tx = app.database.system("an operator provisions a tenant").await?;
    if let Some(operation) = operations::first_of_tenant(&mut tx, request.id).await? {
        return Ok((request.id, operation));
    }
    let plan_version = blueprints::current_plan(&mut tx, request.product, request.plan)
        .await?
        .ok_or(StartError::PlanUnknown)?;
    let new = NewTenant {
        id: request.id,
        organization: request.organization,
        product: request.product,
        plan_version,
        name: request.name,
        reserved_until: None,
    };
    let tenant = pending::create_pending(&mut tx, app, &new)
        .await
        .map_err(|error| match error {
            CreatePendingError::Name(error) => StartError::Name(error),
            CreatePendingError::Fault(fault) => StartError::Fault(fault),
        })?;
    let started = start_provision(&mut tx, app, tenant, "an operator asked for it", actor, trace).await?;
    tx.commit().await?;
    Ok((tenant, started.operation()))
}

/// Removes a tenant for an operator, who repeats its name. What is returned may be another operation, which the removal
/// follows.
///
/// # Errors
/// When there is no such tenant, the name is another one, or it is gone already.
pub async fn remove(
    app: &App,
    tenant: TenantId,
    confirmation: &str,
    actor: &str,
    trace: Option<&str>,
) -> Result<Started, StartError> {
    let mut tx = app.database.system("an operator removes a tenant").await?;
    let row = tenants::find(&mut tx, tenant).await?.ok_or(StartError::TenantUnknown)?;
    if row.name != confirmation {
        return Err(StartError::NotConfirmed { name: row.name });
    }
    let started = start_deprovision(&mut tx, app, tenant, "an operator asked for it", actor, trace).await?;
    end_contract(&mut tx, app, &row, actor, trace).await?;
    tx.commit().await?;
    Ok(started)
}

/// Nobody goes on paying for a tenant that was removed: its contract ends with the last tenant that it pays for.
async fn end_contract(
    tx: &mut SystemTx,
    app: &App,
    tenant: &Tenant,
    actor: &str,
    trace: Option<&str>,
) -> Result<(), StartError> {
    let Some(subscription) = subscriptions::ending_with(tx, tenant.id).await? else {
        return Ok(());
    };
    billing::cancel::enqueue(tx, &subscription, trace).await?;
    let act = Act::new("subscription.cancelled", actor)
        .organization(tenant.organization)
        .target(&subscription)
        .body(serde_json::json!({ "removed": tenant.id }));
    Ok(audit::record(app, tx, act).await?)
}

/// Tries again what failed or is stuck on a tenant: resumes a stuck operation, else starts what is wanted.
///
/// # Errors
/// When there is no such tenant, an operation is at work, there is nothing to retry, or what was bought does not allow it.
pub async fn retry(app: &App, tenant: TenantId, actor: &str, trace: Option<&str>) -> Result<OperationId, StartError> {
    let mut tx = app.database.system("an operator retries a tenant").await?;
    let row = tenants::lock(&mut tx, tenant).await?.ok_or(StartError::TenantUnknown)?;
    let cause = "an operator retried it";
    let is_wanted = row.desired != DesiredState::Deleted;
    let operation = match operations::current(&mut tx, tenant).await? {
        Some(current) if current.is_stuck() && (is_wanted || current.kind == Deprovision::KIND) => {
            if current.kind == Provision::KIND {
                check_entitled(&mut tx, &row).await?;
            }
            resume(&mut tx, app, &row, current.id, actor).await?;
            current.id
        }
        // Nobody wants what it was about to make: the removal takes its place.
        Some(current) if current.is_stuck() => start_deprovision(&mut tx, app, tenant, cause, actor, trace)
            .await?
            .operation(),
        Some(current) => return Err(StartError::AlreadyRunning { operation: current.id }),
        None => match row.state {
            TenantState::Deleted => return Err(StartError::NothingToRetry),
            _ if !is_wanted => start_deprovision(&mut tx, app, tenant, cause, actor, trace).await?,
            TenantState::Deprovisioning => start_deprovision(&mut tx, app, tenant, cause, actor, trace).await?,
            TenantState::Failed => start_provision(&mut tx, app, tenant, cause, actor, trace).await?,
            // Paid for and never started. One that is only reserved has no contract, and is not made by this door.
            TenantState::Pending if row.subscription.is_some() => {
                start_provision(&mut tx, app, tenant, cause, actor, trace).await?
            }
            // One that runs is left in peace.
            TenantState::Pending
            | TenantState::Provisioning
            | TenantState::Active
            | TenantState::Upgrading
            | TenantState::Suspended => return Err(StartError::NothingToRetry),
        }
        .operation(),
    };
    tx.commit().await?;
    Ok(operation)
}

/// Lets a stuck operation go on.
async fn resume(
    tx: &mut SystemTx,
    app: &App,
    tenant: &Tenant,
    operation: OperationId,
    actor: &str,
) -> Result<(), StartError> {
    engine::retry(tx.connection(), operation.uuid())
        .await
        .map_err(retry_error)?;
    let target = operation.to_string();
    let act = Act::new("operation.retried", actor)
        .organization(tenant.organization)
        .target(&target);
    Ok(audit::record(app, tx, act).await?)
}

/// Tries again one operation that is stuck, or that gave up and was the last of its tenant.
///
/// # Errors
/// When there is no such operation, or there is nothing to retry.
pub async fn retry_operation(
    app: &App,
    operation: OperationId,
    actor: &str,
    trace: Option<&str>,
) -> Result<OperationId, StartError> {
    let mut tx = app.database.read_system("an operator retries an operation").await?;
    let row = operations::find(&mut tx, operation)
        .await?
        .ok_or(StartError::OperationUnknown)?;
    tx.commit().await?;
    match row.state.as_str() {
        "stuck" | "undone" => retry(app, row.tenant, actor, trace).await,
        "done" => Err(StartError::NothingToRetry),
        _ => Err(StartError::AlreadyRunning { operation }),
    }
}

fn retry_error(error: RetryError) -> StartError {
    match error {
        RetryError::NotStuck => StartError::NothingToRetry,
        RetryError::Database(error) => StartError::Fault(DatabaseError::from(error).into()),
    }
}
