//! Makes a tenant: the steps in their order, and what the tenant's row learns of it.

mod host;
mod namespace;
mod network_policies;
mod probe;
mod quota;
mod ready;
mod release;
mod secrets;
mod service_account;
mod welcome;

use async_trait::async_trait;
use sqlx::PgConnection;
use tenantry_domain::provisioning::{DesiredState, failure as patience};
use tenantry_operations::{Failure, HookResult, Operation, OperationContext, Outcome, Steps};
use tenantry_postgres::provisioning::tenants;

use self::{
    host::Host, namespace::Namespace, network_policies::NetworkPolicies, probe::Probe, quota::Quota, ready::Ready,
    release::Release, secrets::Secrets, service_account::ServiceAccount, welcome::Welcome,
};
use super::{converge, report, steps::Subject};
use crate::App;

/// The operation.
#[derive(Debug)]
pub struct Provision;

#[async_trait]
impl Operation for Provision {
    const KIND: &'static str = "provision";
    type Context = App;
    type Params = Subject;

    fn steps() -> Steps<Self> {
        Steps::first(Namespace)
            .then(NetworkPolicies)
            .then(Quota)
            .then(ServiceAccount)
            .then(Secrets)
            .then(Release)
            .then(Ready)
            .then(Probe)
            .then(Host)
            .then(Welcome)
    }

    async fn on_start(tx: &mut PgConnection, operation: &OperationContext<Self>) -> HookResult {
        let id = operation.params().tenant;
        let Some(tenant) = tenants::lock(&mut *tx, id).await? else {
            return Ok(());
        };
        tenants::clear_retry(&mut *tx, id).await?;
        tenants::set_state(tx, id, tenant.state.provision()?, None).await?;
        Ok(())
    }

    async fn on_settled(tx: &mut PgConnection, operation: &OperationContext<Self>, outcome: &Outcome) -> HookResult {
        match outcome {
            Outcome::Done => settle_done(tx, operation).await,
            Outcome::Undone { failure } => settle_failed(tx, operation, failure, true).await,
            Outcome::Stuck { failure } => settle_failed(tx, operation, failure, false).await,
        }
    }
}

async fn settle_done(tx: &mut PgConnection, operation: &OperationContext<Provision>) -> HookResult {
    let subject = operation.params();
    let Some(tenant) = tenants::lock(&mut *tx, subject.tenant).await? else {
        return Ok(());
    };
    tenants::set_state(&mut *tx, subject.tenant, tenant.state.activate()?, None).await?;
    tenants::record_success(&mut *tx, subject.tenant, subject.plan_version).await?;
    // Somebody may have changed their mind meanwhile.
    converge::enqueue(tx, subject.tenant, None, operation.trace_id()).await
}

/// The subscription is untouched. The next attempt has its appointment, and the operator hears of it.
async fn settle_failed(
    tx: &mut PgConnection,
    operation: &OperationContext<Provision>,
    failure: &Failure,
    may_retry: bool,
) -> HookResult {
    let subject = operation.params();
    let Some(tenant) = tenants::lock(&mut *tx, subject.tenant).await? else {
        return Ok(());
    };
    let attempt = tenant.attempt.saturating_add(1);
    let retry_at = (may_retry && tenant.desired == DesiredState::Running)
        .then(|| patience::next_attempt(attempt.unsigned_abs(), operation.context().clock.now()))
        .flatten();
    let reason = patience::after_giving_up(&failure.code, retry_at);
    tenants::set_state(&mut *tx, subject.tenant, tenant.state.fail()?, Some(&reason)).await?;
    tenants::record_failure(&mut *tx, subject.tenant, attempt, retry_at).await?;
    report::enqueue(&mut *tx, operation).await?;
    converge::enqueue(tx, subject.tenant, retry_at, operation.trace_id()).await
}
