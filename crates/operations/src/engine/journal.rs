//! Every statement of the engine. Each write is fenced: it happens only under one's own epoch and unexpired lease.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::context::OperationRow;
use crate::log::{Phase, Record, RecordKind};
use crate::state::OperationState;

pub(super) struct Journal {
    pub(super) pool: PgPool,
    lease_secs: f64,
}

pub(super) struct Claimed {
    pub(super) row: OperationRow,
    pub(super) records: Vec<Record>,
    /// Goes with `row.claimed_at`: the database's clock is the only one that counts.
    pub(super) at: Instant,
}

/// A record about to be written.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NewRecord {
    pub(super) seq: i32,
    pub(super) step: &'static str,
    pub(super) phase: Phase,
    pub(super) record: RecordKind,
    pub(super) attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Value>,
}

/// Where the operation is after a write, and who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// We go on; the lease is renewed on the way.
    Keep,
    /// Nobody holds it, anyone may take it after the pause.
    Release(Duration),
    /// The same, for what waits to be ready: at once where it was woken since this try began, because what it waits for
    /// may have happened after the step looked.
    Await(Duration),
}

#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) id: Uuid,
    pub(super) epoch: i64,
    pub(super) state: OperationState,
    pub(super) hold: Hold,
    /// Replaces the operation's error, if there is one.
    pub(super) error: Option<&'a Value>,
    pub(super) records: &'a [NewRecord],
}

#[derive(sqlx::FromRow)]
struct StepRow {
    operation_id: Uuid,
    #[sqlx(flatten)]
    record: Record,
}

impl Journal {
    pub(super) fn new(pool: PgPool, lease: Duration) -> Self {
        Self {
            pool,
            lease_secs: lease.as_secs_f64(),
        }
    }

    /// Takes what is due, with the log of each. `now()`, unlike `clock_timestamp()`, can bound an index: a hundred
    /// thousand sleeping operations cost nothing.
    pub(super) async fn claim(&self, kinds: &[String], limit: i64) -> Result<Vec<Claimed>, sqlx::Error> {
        let rows: Vec<OperationRow> = sqlx::query_as(
            "with due as ( \
                 select id from operations \
                 where state in ('queued', 'running', 'waiting', 'undoing') and wake_at <= now() \
                     and (lease_until is null or lease_until <= now()) and kind = any($1) \
                 order by wake_at limit $2 \
                 for no key update skip locked \
             ) \
             update operations o \
             set epoch = epoch + 1, lease_until = clock_timestamp() + make_interval(secs => $3), woken = false, \
                 state = case when state = 'waiting' then 'running' else state end \
             from due where o.id = due.id \
             returning o.id, organization_id, tenant_id, kind, params, state, attempt, epoch, deadline_at, cause, \
                 actor, trace_id, error, clock_timestamp() as claimed_at",
        )
        .bind(kinds)
        .bind(limit)
        .bind(self.lease_secs)
        .fetch_all(&self.pool)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        // A statement of its own, since its snapshot must not be older than the claim: the holder before us may have
        // written its last record just then.
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let steps: Vec<StepRow> = sqlx::query_as(
            "select operation_id, seq, step, phase, record, output, error, at \
             from operation_steps where operation_id = any($1) order by operation_id, seq",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await?;
        let mut logs: HashMap<Uuid, Vec<Record>> = HashMap::with_capacity(rows.len());
        for step in steps {
            logs.entry(step.operation_id).or_default().push(step.record);
        }
        let at = Instant::now();
        Ok(rows
            .into_iter()
            .map(|row| Claimed {
                records: logs.remove(&row.id).unwrap_or_default(),
                row,
                at,
            })
            .collect())
    }

    pub(super) async fn renew(&self, control: &PgPool, ids: &[Uuid], epochs: &[i64]) -> Result<Vec<Uuid>, sqlx::Error> {
        // What has been let go of in the meantime has no lease any more and must not get one.
        sqlx::query_scalar(
            "with mine as ( \
                 select o.id from operations o join unnest($1::uuid[], $2::bigint[]) as h (id, epoch) \
                     on o.id = h.id and o.epoch = h.epoch \
                 where o.lease_until is not null order by o.id for no key update of o \
             ) \
             update operations o set lease_until = clock_timestamp() + make_interval(secs => $3) \
             from mine where o.id = mine.id returning o.id",
        )
        .bind(ids)
        .bind(epochs)
        .bind(self.lease_secs)
        .fetch_all(control)
        .await
    }

    pub(super) async fn release(&self, ids: &[Uuid], epochs: &[i64]) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update operations o set lease_until = null, wake_at = clock_timestamp() \
             from unnest($1::uuid[], $2::bigint[]) as h (id, epoch) \
             where o.id = h.id and o.epoch = h.epoch and o.lease_until is not null",
        )
        .bind(ids)
        .bind(epochs)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Moves the operation and writes its records, in one statement. False: somebody else holds it, nothing happened.
    ///
    /// Signals are forgotten by each write: whatever comes next looks for itself.
    pub(super) async fn write(&self, executor: impl PgExecutor<'_>, write: &Write<'_>) -> Result<bool, sqlx::Error> {
        let (pause, may_be_cut_short) = match write.hold {
            Hold::Keep => (None, false),
            Hold::Release(pause) => (Some(pause.as_secs_f64()), false),
            Hold::Await(pause) => (Some(pause.as_secs_f64()), true),
        };
        let records = sqlx::types::Json(write.records);
        sqlx::query_scalar(
            "with mine as ( \
                 update operations set \
                     state = $3, \
                     started_at = case when $3 = 'running' then coalesce(started_at, clock_timestamp()) \
                         else started_at end, \
                     ended_at = case when $3 in ('done', 'undone') then clock_timestamp() end, \
                     lease_until = case when $4::float8 is null \
                         then clock_timestamp() + make_interval(secs => $5) end, \
                     wake_at = case when $4::float8 is null then wake_at \
                         when $8::boolean and woken then clock_timestamp() \
                         else clock_timestamp() + make_interval(secs => $4) end, \
                     woken = false, \
                     error = case when $3 <> 'done' then coalesce($6::jsonb, error) end \
                 where id = $1 and epoch = $2 and lease_until > clock_timestamp() \
                 returning id, organization_id \
             ), written as ( \
                 insert into operation_steps \
                     (operation_id, seq, organization_id, step, phase, record, epoch, attempt, output, error) \
                 select mine.id, r.seq, mine.organization_id, r.step, r.phase, r.record, $2, r.attempt, r.output, r.error \
                 from mine, jsonb_to_recordset($7::jsonb) as r \
                     (seq int, step text, phase text, record text, attempt int, output jsonb, error jsonb) \
             ) \
             select exists (select from mine)",
        )
        .bind(write.id)
        .bind(write.epoch)
        .bind(write.state.as_str())
        .bind(pause)
        .bind(self.lease_secs)
        .bind(write.error)
        .bind(records)
        .bind(may_be_cut_short)
        .fetch_one(executor)
        .await
    }
}
