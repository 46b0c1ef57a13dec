//! Removes a tenant: the reverse of making one. Works for one in any half-made state, for one that the cluster has lost,
//! and for one that it never had.
//!
//! There is nothing to take back when a removal gives up: the tenant stays *deprovisioning*, and what is left goes with
//! the next attempt.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgConnection;
use tenantry_domain::provisioning::{StateReason, cluster::Part, failure as patience};
use tenantry_operations::{
    Failure, HookResult, Operation, OperationContext, Outcome, Step, StepContext, StepError, StepPolicy, Steps,
};
use tenantry_postgres::{
    provisioning::{domains, tenants},
    sealed_secrets,
};

use super::{
    converge, effects, failure, report,
    steps::{SECRET_SCOPE, Subject, fenced_system},
};
use crate::App;

/// What is left over costs money, so removing is tried for longer than making.
const POLICY: StepPolicy = StepPolicy::DEFAULT
    .max_attempts(12)
    .backoff(Duration::from_millis(500), Duration::from_secs(60));

/// The operation.
#[derive(Debug)]
pub struct Deprovision;

#[async_trait]
impl Operation for Deprovision {
    const KIND: &'static str = "deprovision";
    type Context = App;
    type Params = Subject;

    fn steps() -> Steps<Self> {
        Steps::first(Uninstall)
            .then(RemoveSecrets)
            .then(RemoveServiceAccount)
            .then(RemoveQuota)
            .then(RemoveNetworkPolicies)
            .then(RemoveNamespace)
            .then(Forget)
    }

    async fn on_start(tx: &mut PgConnection, operation: &OperationContext<Self>) -> HookResult {
        let id = operation.params().tenant;
        let Some(tenant) = tenants::lock(&mut *tx, id).await? else {
            return Ok(());
        };
        tenants::clear_retry(&mut *tx, id).await?;
        tenants::set_state(tx, id, tenant.state.deprovision()?, None).await?;
        Ok(())
    }

    async fn on_settled(tx: &mut PgConnection, operation: &OperationContext<Self>, outcome: &Outcome) -> HookResult {
        match outcome {
            Outcome::Done => settle_done(tx, operation).await,
            Outcome::Undone { failure } | Outcome::Stuck { failure } => settle_failed(tx, operation, failure).await,
        }
    }
}

async fn settle_done(tx: &mut PgConnection, operation: &OperationContext<Deprovision>) -> HookResult {
    let id = operation.params().tenant;
    let Some(tenant) = tenants::lock(&mut *tx, id).await? else {
        return Ok(());
    };
    tenants::set_state(tx, id, tenant.state.delete()?, None).await?;
    Ok(())
}

async fn settle_failed(
    tx: &mut PgConnection,
    operation: &OperationContext<Deprovision>,
    failure: &Failure,
) -> HookResult {
    let id = operation.params().tenant;
    let Some(tenant) = tenants::lock(&mut *tx, id).await? else {
        return Ok(());
    };
    let attempt = tenant.attempt.saturating_add(1);
    let retry_at = patience::next_attempt(attempt.unsigned_abs(), operation.context().clock.now());
    let reason = StateReason {
        code: failure.code.clone().into_owned(),
        detail: "Removing this site did not succeed yet. We are on it.".to_owned(),
        next: None,
    };
    tenants::set_state(&mut *tx, id, tenant.state, Some(&reason)).await?;
    tenants::record_failure(&mut *tx, id, attempt, retry_at).await?;
    report::enqueue(&mut *tx, operation).await?;
    match retry_at {
        Some(at) => converge::enqueue(tx, id, Some(at), operation.trace_id()).await,
        None => Ok(()),
    }
}

macro_rules! removal_steps {
    ($($(#[$doc:meta])* $step:ident = $name:literal, |$cx:ident| $act:expr;)+) => {$(
        $(#[$doc])*
        struct $step;

        #[async_trait]
        impl Step<Deprovision> for $step {
            const NAME: &'static str = $name;
            type Output = ();

            fn policy(&self) -> StepPolicy {
                POLICY
            }

            async fn act(&self, $cx: &StepContext<Deprovision>) -> Result<(), StepError> {
                $act.await
            }

            /// What is removed stays removed.
            async fn undo(&self, _cx: &StepContext<Deprovision>) -> Result<(), StepError> {
                Ok(())
            }
        }
    )+};
}

removal_steps! {
    /// The Helm release, and with it everything of the chart. Ends when nothing runs any more.
    Uninstall = "uninstall", |cx| effects::remove_release(cx);
    /// The Secrets in the cluster.
    RemoveSecrets = "remove_secrets", |cx| effects::remove_part(cx, Part::Secrets);
    /// The pods' account.
    RemoveServiceAccount = "remove_service_account", |cx| effects::remove_part(cx, Part::ServiceAccount);
    /// Quota and limit range.
    RemoveQuota = "remove_quota", |cx| effects::remove_part(cx, Part::Quota);
    /// The network policies: no pod is left that they could protect.
    RemoveNetworkPolicies = "remove_network_policies", |cx| effects::remove_part(cx, Part::NetworkPolicies);
    /// The namespace with whatever else is in it.
    RemoveNamespace = "remove_namespace", |cx| effects::remove_namespace(cx);
    /// The host, for others to take, and the sealed secrets.
    Forget = "forget", |cx| forget(cx);
}

async fn forget(cx: &StepContext<Deprovision>) -> Result<(), StepError> {
    let tenant = cx.params().tenant;
    let mut tx = fenced_system(cx, "forget a removed tenant").await?;
    domains::release(&mut tx, tenant).await.map_err(failure::of_database)?;
    sealed_secrets::delete_others(&mut tx, SECRET_SCOPE, tenant.uuid(), &[])
        .await
        .map_err(failure::of_database)?;
    tx.commit().await.map_err(failure::of_database)
}
