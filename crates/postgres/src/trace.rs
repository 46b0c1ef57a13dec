//! What the ledger remembers of one payment's way, from the event to the last step.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::TenantId;

use crate::{DatabaseError, SystemTx};

/// One thing that happened, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TracedRow {
    /// When.
    pub at: DateTime<Utc>,
    /// Which kind of row: checkout, event, job, operation, step.
    pub kind: String,
    /// What it was, in a word or two.
    pub what: String,
    /// The trace that it belongs to; 32 hex digits.
    pub trace: String,
}

/// Everything that carries a trace of one of the tenant's operations or checkouts.
///
/// # Errors
/// When the database fails.
pub async fn of_tenant(tx: &mut SystemTx, tenant: TenantId) -> Result<Vec<TracedRow>, DatabaseError> {
    // A column holds a whole `traceparent`: version, trace, span, flags.
    let rows = sqlx::query_as(
        "with traces as (
            select distinct split_part(trace_id, '-', 2) as trace from operations
             where tenant_id = $1 and trace_id is not null
            union
            select distinct split_part(trace_id, '-', 2) from checkouts where tenant_id = $1 and trace_id is not null)
         select at, kind, what, trace from (
            select c.created_at as at, 'checkout' as kind, 'checkout begun' as what, split_part(c.trace_id, '-', 2) as trace
              from checkouts c where c.tenant_id = $1 and c.trace_id is not null
            union all
            select e.received_at, 'event', e.type || ' ' || e.state, t.trace
              from stripe_events e join traces t on split_part(e.trace_id, '-', 2) = t.trace and e.trace_id is not null
            union all
            select j.created_at, 'job', j.kind || ' ' || j.state, t.trace
              from jobs j join traces t on split_part(j.trace_id, '-', 2) = t.trace and j.trace_id is not null
            union all
            select o.created_at, 'operation', o.kind || ' queued: ' || o.cause, split_part(o.trace_id, '-', 2)
              from operations o where o.tenant_id = $1 and o.trace_id is not null
            union all
            select s.at, 'step', s.step || case s.phase when 'undo' then ' undo ' else ' ' end || s.record,
                   split_part(o.trace_id, '-', 2)
              from operations o join operation_steps s on s.operation_id = o.id
             where o.tenant_id = $1 and o.trace_id is not null) happened
         order by at, kind",
    )
    .bind(tenant.uuid())
    .fetch_all(tx)
    .await?;
    Ok(rows)
}
