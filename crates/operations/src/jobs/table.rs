//! The worker's statements on `jobs`. Every end is fenced by epoch and lease.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::error::Failure;

/// One row of `jobs`, as claimed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct JobRow {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) payload: Value,
    pub(super) run_at: DateTime<Utc>,
    pub(super) attempts: i32,
    pub(super) max_attempts: i32,
    pub(super) epoch: i64,
    pub(super) trace_id: Option<String>,
}

pub(super) enum JobEnd {
    Done,
    Again { failure: Failure, pause: Duration },
    Failed(Failure),
}

/// Takes what is due. Of the jobs that share a queue key at most one runs, and the first one goes first; one whose
/// worker has died goes on before all others. Two arms, so that jobs that are not due yet are never looked at.
pub(super) async fn claim(
    pool: &PgPool,
    kinds: &[String],
    lease: Duration,
    limit: i64,
) -> Result<Vec<JobRow>, sqlx::Error> {
    sqlx::query_as(
        "with candidates as materialized ( \
             select id from jobs \
             where state = 'running' and (lease_until is null or lease_until <= now()) and kind = any($1) \
             union all \
             (select j.id from jobs j \
             where j.state = 'queued' and j.run_at <= now() and j.kind = any($1) \
                 and (j.queue_key is null or not exists ( \
                     select from jobs o where o.queue_key = j.queue_key and o.id <> j.id \
                         and o.state in ('queued', 'running') and (o.state = 'running' or o.id < j.id))) \
             order by j.run_at, j.id limit $2) \
         ), due as ( \
             select j.id from jobs j join candidates using (id) \
             where j.state in ('queued', 'running') and (j.lease_until is null or j.lease_until <= now()) \
             order by j.run_at, j.id limit $2 \
             for no key update of j skip locked \
         ) \
         update jobs j \
         set state = 'running', epoch = epoch + 1, attempts = attempts + 1, \
             lease_until = clock_timestamp() + make_interval(secs => $3) \
         from due where j.id = due.id \
         returning j.id, kind, payload, run_at, attempts, max_attempts, epoch, trace_id",
    )
    .bind(kinds)
    .bind(limit)
    .bind(lease.as_secs_f64())
    .fetch_all(pool)
    .await
}

pub(super) async fn renew(
    pool: &PgPool,
    lease: Duration,
    ids: &[Uuid],
    epochs: &[i64],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "with mine as ( \
             select j.id from jobs j join unnest($1::uuid[], $2::bigint[]) as h (id, epoch) \
                 on j.id = h.id and j.epoch = h.epoch \
             where j.lease_until is not null order by j.id for no key update of j \
         ) \
         update jobs j set lease_until = clock_timestamp() + make_interval(secs => $3) \
         from mine where j.id = mine.id returning j.id",
    )
    .bind(ids)
    .bind(epochs)
    .bind(lease.as_secs_f64())
    .fetch_all(pool)
    .await
}

/// Lets go of jobs that were cut short by an orderly end, which is not held against them.
pub(super) async fn release(pool: &PgPool, ids: &[Uuid], epochs: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with released as ( \
             update jobs j set lease_until = null, attempts = greatest(attempts - 1, 0) \
             from unnest($1::uuid[], $2::bigint[]) as h (id, epoch) \
             where j.id = h.id and j.epoch = h.epoch and j.lease_until is not null returning j.id \
         ) \
         select pg_notify('jobs_queued', '') from released limit 1",
    )
    .bind(ids)
    .bind(epochs)
    .execute(pool)
    .await?;
    Ok(())
}

/// False: somebody else holds the job, nothing happened. A job that was asked for again while it ran is queued again,
/// however it ended.
pub(super) async fn end(executor: impl PgExecutor<'_>, job: &JobRow, end: &JobEnd) -> Result<bool, sqlx::Error> {
    let (state, failure, pause) = match end {
        JobEnd::Done => ("done", None, Duration::ZERO),
        JobEnd::Again { failure, pause } => ("queued", Some(failure), *pause),
        JobEnd::Failed(failure) => ("failed", Some(failure), Duration::ZERO),
    };
    let ended = sqlx::query(
        "update jobs set \
             state = case when run_at <> $4 then 'queued' else $3 end, \
             attempts = case when run_at <> $4 then 0 else attempts end, \
             run_at = case when $3 = 'queued' then clock_timestamp() + make_interval(secs => $5) else run_at end, \
             unique_key = case when run_at = $4 and $3 = 'done' then null else unique_key end, \
             ended_at = case when run_at = $4 and $3 <> 'queued' then clock_timestamp() end, \
             error = $6, lease_until = null \
         where id = $1 and epoch = $2 and state = 'running' and lease_until > clock_timestamp()",
    )
    .persistent(false)
    .bind(job.id)
    .bind(job.epoch)
    .bind(state)
    .bind(job.run_at)
    .bind(pause.as_secs_f64())
    .bind(failure.map(sqlx::types::Json))
    .execute(executor)
    .await?;
    Ok(ended.rows_affected() == 1)
}
