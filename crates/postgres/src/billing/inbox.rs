//! Events as they arrived, and what became of them.

use chrono::{DateTime, Utc};
use sqlx::{Executor, Postgres};
use tenantry_domain::billing::settle::{Failed, Ignored, Outcome};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// An event to be stored, with the job that looks at it.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The provider's identifier.
    pub id: String,
    /// Such as `invoice.paid`.
    pub kind: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// The kind of what it is about.
    pub object_type: Option<String>,
    /// In which version of the API it was written.
    pub api_version: Option<String>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The JSON text.
    pub payload: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// Why nothing follows; such an event gets no job.
    pub ignored: Option<Ignored>,
    /// The W3C `traceparent` that follows the payment from here on.
    pub trace_id: Option<String>,
}

/// How the job that looks at an object's events is queued.
#[derive(Debug, Clone, Copy)]
pub struct ApplyJob {
    /// Its kind.
    pub kind: &'static str,
    /// How often it is tried.
    pub max_attempts: i32,
}

/// Stores events and queues one job for each object that they are about, in one statement; says which were new, by
/// identifier. An event that is known is passed over. A job of the same object that waits takes care of the new event,
/// too, and one that runs is run again: the rules are those of `tenantry_operations::jobs::enqueue`.
///
/// # Errors
/// The database; then none is stored.
pub async fn store<'c>(
    executor: impl Executor<'c, Database = Postgres>,
    job: ApplyJob,
    events: &[NewEvent],
) -> Result<Vec<String>, DatabaseError> {
    let column = |of: fn(&NewEvent) -> Option<String>| events.iter().map(of).collect::<Vec<_>>();
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let payloads: Vec<&str> = events.iter().map(|event| event.payload.as_str()).collect();
    let livemodes: Vec<bool> = events.iter().map(|event| event.livemode).collect();
    let created: Vec<DateTime<Utc>> = events.iter().map(|event| event.created_at).collect();
    let received: Vec<DateTime<Utc>> = events.iter().map(|event| event.received_at).collect();
    let job_ids: Vec<Uuid> = events.iter().map(|_| Uuid::now_v7()).collect();
    let new: Vec<String> = sqlx::query_scalar(
        "with arrived as ( \
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[], \
                 $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::uuid[]) \
             as a (id, type, object_id, object_type, api_version, livemode, payload, created_at, received_at, ignored, \
                 trace_id, job_id)), \
         stored as ( \
             insert into stripe_events (id, type, object_id, object_type, api_version, livemode, payload, state, \
                 reason, trace_id, created_at, received_at, settled_at) \
             select id, type, object_id, object_type, api_version, livemode, payload::jsonb, \
                 case when ignored is null then 'received' else 'ignored' end, ignored, trace_id, created_at, \
                 received_at, case when ignored is not null then received_at end \
             from arrived order by id \
             on conflict (id) do nothing returning id), \
         queued as ( \
             insert into jobs (id, kind, payload, unique_key, state, run_at, attempts, max_attempts, trace_id) \
             select distinct on (a.object_id) a.job_id, $13, \
                 jsonb_build_object('object_id', a.object_id, 'object_type', a.object_type), \
                 $13 || ':' || a.object_id, 'queued', clock_timestamp(), 0, $14, a.trace_id \
             from arrived a join stored s on s.id = a.id where a.ignored is null order by a.object_id, a.job_id \
             on conflict (unique_key) do update set \
                 payload = excluded.payload, trace_id = excluded.trace_id, \
                 run_at = case \
                     when jobs.state = 'running' then greatest(excluded.run_at, clock_timestamp()) \
                     when jobs.state = 'queued' and jobs.attempts > 0 then jobs.run_at \
                     when jobs.state = 'queued' then least(jobs.run_at, excluded.run_at) \
                     else excluded.run_at end, \
                 attempts = case when jobs.state = 'failed' then 0 else jobs.attempts end, \
                 state = case when jobs.state = 'failed' then 'queued' else jobs.state end, \
                 ended_at = null) \
         select id from stored",
    )
    .bind(ids)
    .bind(kinds)
    .bind(column(|event| event.object_id.clone()))
    .bind(column(|event| event.object_type.clone()))
    .bind(column(|event| event.api_version.clone()))
    .bind(livemodes)
    .bind(payloads)
    .bind(created)
    .bind(received)
    .bind(column(|event| event.ignored.map(|reason| reason.code().to_owned())))
    .bind(column(|event| event.trace_id.clone()))
    .bind(job_ids)
    .bind(job.kind)
    .bind(job.max_attempts)
    .fetch_all(executor)
    .await?;
    Ok(new)
}

/// At most so many events are settled together; whoever finds so many looks again.
pub const SETTLED_TOGETHER: usize = 5_000;

/// The events about an object that wait to be looked at, and those that were given up for a reason that says nothing
/// about the object. To be read before the object is fetched: what arrives later may know more than the answer.
///
/// # Errors
/// The database.
pub async fn waiting(
    tx: &mut SystemTx,
    object_id: &str,
    passing_reasons: &[&str],
) -> Result<Vec<String>, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select id from stripe_events \
         where object_id = $1 and (state = 'received' or (state = 'failed' and reason = any($3))) \
         order by received_at, id limit $2",
    )
    .bind(object_id)
    .bind(i64::try_from(SETTLED_TOGETHER).unwrap_or(i64::MAX))
    .bind(passing_reasons)
    .fetch_all(&mut *tx)
    .await?)
}

/// Notes what became of events that were read as [`waiting`].
///
/// # Errors
/// The database.
pub async fn settle(
    tx: &mut SystemTx,
    events: &[String],
    outcome: Outcome,
    passing_reasons: &[&str],
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let (state, reason) = match outcome {
        Outcome::Applied => ("applied", None),
        Outcome::Ignored(reason) => ("ignored", Some(reason.code())),
        Outcome::Failed(reason) => ("failed", Some(Failed::code(reason))),
    };
    sqlx::query(
        "update stripe_events set state = $2, reason = $3, attempts = attempts + 1, settled_at = $4 \
         where id = any($1) and (state = 'received' or (state = 'failed' and reason = any($5)))",
    )
    .bind(events)
    .bind(state)
    .bind(reason)
    .bind(now)
    .bind(passing_reasons)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Notes that a try at events did not get through; they go on waiting, or are given up for a person to look at. Only
/// those that the try was about: what arrived during it has its own tries.
///
/// # Errors
/// The database.
pub async fn note_failure(
    tx: &mut SystemTx,
    events: &[String],
    code: &str,
    is_last: bool,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "update stripe_events set attempts = attempts + 1, reason = $2, \
             state = case when $3 then 'failed' else state end, settled_at = case when $3 then $4::timestamptz end \
         where id = any($1) and state = 'received'",
    )
    .bind(events)
    .bind(code)
    .bind(is_last)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// An event as operators see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    /// The provider's identifier.
    pub id: String,
    /// Such as `invoice.paid`.
    pub r#type: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// The kind of what it is about.
    pub object_type: Option<String>,
    /// `received`, `applied`, `ignored` or `failed`.
    pub state: String,
    /// Why it was ignored, failed, or still waits.
    pub reason: Option<String>,
    /// How often it was looked at.
    pub attempts: i32,
    /// The trace that follows it.
    pub trace_id: Option<String>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

/// Events, newest first, after a cursor.
///
/// # Errors
/// The database.
pub async fn list(
    tx: &mut SystemTx,
    state: Option<&str>,
    after: Option<(DateTime<Utc>, &str)>,
    limit: i64,
) -> Result<Vec<EventRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    Ok(sqlx::query_as(
        "select id, type, object_id, object_type, state, reason, attempts, trace_id, received_at from stripe_events \
         where ($1::text is null or state = $1) \
             and ($2::timestamptz is null or received_at < $2 or (received_at = $2 and id > $3)) \
         order by received_at desc, id limit $4",
    )
    .bind(state)
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// One event.
///
/// # Errors
/// The database.
pub async fn find(tx: &mut SystemTx, id: &str) -> Result<Option<EventRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, type, object_id, object_type, state, reason, attempts, trace_id, received_at from stripe_events \
         where id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *tx)
    .await?)
}

/// Puts an event back to where it waits to be looked at.
///
/// # Errors
/// The database.
pub async fn reopen(tx: &mut SystemTx, id: &str) -> Result<(), DatabaseError> {
    sqlx::query("update stripe_events set state = 'received', reason = null, settled_at = null where id = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Objects with events that wait, and no job of this kind that has not ended.
///
/// # Errors
/// The database.
pub async fn stranded(tx: &mut SystemTx, kind: &str, limit: i64) -> Result<Vec<(String, String)>, DatabaseError> {
    Ok(sqlx::query_as(
        "select distinct e.object_id, e.object_type from stripe_events e \
         where e.state = 'received' and e.object_id is not null and e.object_type is not null and not exists ( \
             select from jobs j where j.unique_key = $1 || ':' || e.object_id and j.state in ('queued', 'running')) \
         order by e.object_id limit $2",
    )
    .bind(kind)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Objects with events that were given up for one of these reasons, with their kind; in the order of their identifiers,
/// after this one.
///
/// # Errors
/// The database.
pub async fn given_up(
    tx: &mut SystemTx,
    reasons: &[&str],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(String, String)>, DatabaseError> {
    Ok(sqlx::query_as(
        "select object_id, min(object_type) from stripe_events \
         where state = 'failed' and reason = any($1) and object_id is not null and object_type is not null \
             and ($2::text is null or object_id > $2) \
         group by object_id order by object_id limit $3",
    )
    .bind(reasons)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Whether a job of this kind has not ended.
///
/// # Errors
/// The database.
pub async fn has_live_job(tx: &mut SystemTx, kind: &str) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select exists (select from jobs where kind = $1 and state in ('queued', 'running'))")
            .bind(kind)
            .fetch_one(&mut *tx)
            .await?,
    )
}

/// Deletes events that were settled before `before`. The newest stays, since polling goes on from it; what failed or waits
/// stays until somebody has looked. Returns how many went.
///
/// # Errors
/// The database.
pub async fn prune(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<u64, DatabaseError> {
    let pruned = sqlx::query(
        "delete from stripe_events where state in ('applied', 'ignored') and settled_at < $1 \
             and created_at < (select max(created_at) from stripe_events)",
    )
    .bind(before)
    .execute(&mut *tx)
    .await?;
    Ok(pruned.rows_affected())
}

/// When the newest event happened that is stored here.
///
/// # Errors
/// The database.
pub async fn newest(tx: &mut SystemTx) -> Result<Option<DateTime<Utc>>, DatabaseError> {
    Ok(sqlx::query_scalar("select max(created_at) from stripe_events")
        .fetch_one(&mut *tx)
        .await?)
}
