//! One payment's way through the ledger.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_domain::ids::TenantId;

use crate::{App, error::Fault};

/// One thing that happened on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedMoment {
    /// When.
    pub at: DateTime<Utc>,
    /// checkout, event, job, operation or step.
    pub kind: String,
    /// What it was.
    pub what: String,
    /// 32 hex digits; the same in exported traces and in log lines.
    pub trace_id: String,
}

/// From the checkout to the last step of every operation on the tenant, in the order of time.
///
/// # Errors
/// When the ledger does not answer.
pub async fn of_tenant(app: &App, tenant: TenantId) -> Result<Vec<TracedMoment>, Fault> {
    let mut tx = app.database.read_system("show a tenant's trace to an operator").await?;
    let rows = tenantry_postgres::trace::of_tenant(&mut tx, tenant).await?;
    tx.commit().await?;
    let moment = |row: tenantry_postgres::trace::TracedRow| TracedMoment {
        at: row.at,
        kind: row.kind,
        what: row.what,
        trace_id: row.trace,
    };
    Ok(rows.into_iter().map(moment).collect())
}
