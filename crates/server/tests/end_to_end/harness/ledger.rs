//! The ledger behind the application's back: what tests wait for and compare.

use sqlx::{PgPool, postgres::PgPoolOptions};
use tenantry_domain::ids::{OperationId, TenantId};
use tenantry_test_support::{TestDatabase, wait_for};

use super::PATIENCE;

/// One record of an operation's log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Record {
    pub(crate) step: String,
    pub(crate) phase: String,
    pub(crate) record: String,
    pub(crate) epoch: i64,
}

/// A superuser's view of one installation's database.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pool: PgPool,
}

impl Ledger {
    pub(super) fn of(database: &TestDatabase) -> Self {
        let url = database.server().url("postgres", &database.name);
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_lazy(&url)
            .expect("a URL");
        Self { pool }
    }

    /// The pool, for what only one test asks.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Waits until an operation has ended or is stuck, and says how.
    pub(crate) async fn until_operation_ends(&self, operation: &str) -> String {
        let what = format!("operation {operation} to end");
        let state = wait_for(&what, PATIENCE, async || {
            let state = self.operation_state(operation).await;
            matches!(state.as_str(), "done" | "undone" | "stuck").then_some(state)
        })
        .await;
        if state != "done" {
            eprintln!("{operation} is {state}: {}", self.failure_of(operation).await);
        }
        state
    }

    /// Why an operation did not succeed, with what only operators see.
    async fn failure_of(&self, operation: &str) -> serde_json::Value {
        let id: OperationId = operation.parse().expect("an operation's id");
        sqlx::query_scalar("select coalesce(error, 'null') from operations where id = $1")
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await
            .expect("the operation")
    }

    /// Where an operation stands.
    pub(crate) async fn operation_state(&self, operation: &str) -> String {
        let id: OperationId = operation.parse().expect("an operation's id");
        sqlx::query_scalar("select state from operations where id = $1")
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await
            .expect("the operation")
    }

    /// Everything that an operation's log says, in its order.
    pub(crate) async fn records(&self, operation: &str) -> Vec<Record> {
        let id: OperationId = operation.parse().expect("an operation's id");
        sqlx::query_as("select step, phase, record, epoch from operation_steps where operation_id = $1 order by seq")
            .bind(id.uuid())
            .fetch_all(&self.pool)
            .await
            .expect("the log")
    }

    /// Waits until a step of an operation has begun.
    pub(crate) async fn until_step_begins(&self, operation: &str, step: &str) {
        wait_for(&format!("step {step} to begin"), PATIENCE, async || {
            let records = self.records(operation).await;
            records
                .iter()
                .any(|record| record.step == step && record.record == "started")
                .then_some(())
        })
        .await;
    }

    /// Waits until a tenant is in a state.
    pub(crate) async fn until_tenant_is(&self, tenant: &str, state: &str) {
        wait_for(&format!("tenant {tenant} to be {state}"), PATIENCE, async || {
            (self.tenant_state(tenant).await.0 == state).then_some(())
        })
        .await;
    }

    /// A tenant's state and the code of its reason.
    pub(crate) async fn tenant_state(&self, tenant: &str) -> (String, Option<String>) {
        let id: TenantId = tenant.parse().expect("a tenant's id");
        sqlx::query_as("select state, state_reason ->> 'code' from tenants where id = $1")
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await
            .expect("the tenant")
    }

    /// The operations of a kind on a tenant, oldest first.
    pub(crate) async fn operations_of(&self, tenant: &str, kind: &str) -> Vec<String> {
        let id: TenantId = tenant.parse().expect("a tenant's id");
        let ids: Vec<uuid::Uuid> =
            sqlx::query_scalar("select id from operations where tenant_id = $1 and kind = $2 order by created_at, id")
                .bind(id.uuid())
                .bind(kind)
                .fetch_all(&self.pool)
                .await
                .expect("the operations");
        ids.into_iter()
            .map(|id| OperationId::from_uuid(id).to_string())
            .collect()
    }

    /// Lets an operation run out of time now, so that it gives up at its next step.
    pub(crate) async fn end_patience_with(&self, operation: &str) {
        let id: OperationId = operation.parse().expect("an operation's id");
        sqlx::query("update operations set deadline_at = now() where id = $1")
            .bind(id.uuid())
            .execute(&self.pool)
            .await
            .expect("a deadline");
    }

    /// The session that a checkout's page belongs to.
    pub(crate) async fn session_of(&self, checkout: &str) -> String {
        let id: tenantry_domain::ids::CheckoutId = checkout.parse().expect("a checkout's id");
        sqlx::query_scalar("select stripe_session_id from checkouts where id = $1")
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await
            .expect("a checkout with a session")
    }

    /// A count, for what only one test asks.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement)
            .fetch_one(&self.pool)
            .await
            .expect("a count")
    }
}
