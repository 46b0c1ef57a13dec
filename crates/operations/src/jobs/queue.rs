use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::handler::Job;

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub id: Uuid,
    pub kind: &'static str,
    pub payload: Value,
    pub unique_key: Option<String>,
    pub queue_key: Option<String>,
    pub run_at: Option<DateTime<Utc>>,
    pub max_attempts: u32,
    pub trace_id: Option<String>,
}

impl NewJob {
    pub fn of<J: Job>(payload: &J::Payload) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: Uuid::now_v7(),
            kind: J::KIND,
            payload: serde_json::to_value(payload)?,
            unique_key: None,
            queue_key: None,
            run_at: None,
            max_attempts: J::policy().max_attempts,
            trace_id: None,
        })
    }

    /// At most one job with this key has not ended. Queuing another one gives the waiting one the newer payload, makes
    /// the running one run once more afterwards, and revives a failed one.
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Jobs with this key run one at a time, in the order in which they were made; one that is retried holds the
    /// others up.
    #[must_use]
    pub fn queue_key(mut self, key: impl Into<String>) -> Self {
        self.queue_key = Some(key.into());
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn run_at(mut self, run_at: DateTime<Utc>) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// The W3C `traceparent` under which its spans are to appear.
    #[must_use]
    pub fn trace_id(mut self, trace_id: Option<String>) -> Self {
        self.trace_id = trace_id;
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    New(Uuid),
    /// A job with the same unique key takes care of it.
    Merged(Uuid),
}

/// Queues a job in the caller's transaction: it runs if and only if that commits.
pub async fn enqueue(tx: &mut PgConnection, new: NewJob) -> Result<Queued, sqlx::Error> {
    // A change of `run_at` while a job runs is what tells its worker that it was asked for again.
    let id: Uuid = sqlx::query_scalar(
        "insert into jobs (id, kind, payload, unique_key, queue_key, state, run_at, attempts, max_attempts, trace_id) \
         values ($1, $2, $3, $4, $5, 'queued', coalesce($6, clock_timestamp()), 0, $7, $8) \
         on conflict (unique_key) do update set \
             payload = excluded.payload, trace_id = excluded.trace_id, \
             run_at = case \
                 when jobs.state = 'running' then greatest(excluded.run_at, clock_timestamp()) \
                 when jobs.state = 'queued' and jobs.attempts > 0 then jobs.run_at \
                 when jobs.state = 'queued' then least(jobs.run_at, excluded.run_at) \
                 else excluded.run_at end, \
             attempts = case when jobs.state = 'failed' then 0 else jobs.attempts end, \
             state = case when jobs.state = 'failed' then 'queued' else jobs.state end, \
             ended_at = null \
         returning id",
    )
    .persistent(false)
    .bind(new.id)
    .bind(new.kind)
    .bind(&new.payload)
    .bind(&new.unique_key)
    .bind(&new.queue_key)
    .bind(new.run_at)
    .bind(i32::try_from(new.max_attempts).unwrap_or(i32::MAX))
    .bind(&new.trace_id)
    .fetch_one(tx)
    .await?;
    Ok(if id == new.id {
        Queued::New(id)
    } else {
        Queued::Merged(id)
    })
}

#[derive(Debug, thiserror::Error)]
pub enum JobRetryError {
    #[error("the job has not failed")]
    NotFailed,
    #[error("the job could not be changed")]
    Database(#[from] sqlx::Error),
}

/// Gives a failed job all its tries back.
pub async fn retry(tx: &mut PgConnection, job: Uuid) -> Result<(), JobRetryError> {
    let woken: Option<String> = sqlx::query_scalar(
        "with retried as ( \
             update jobs set state = 'queued', attempts = 0, run_at = clock_timestamp(), ended_at = null \
             where id = $1 and state = 'failed' returning id \
         ) \
         select pg_notify('jobs_queued', '')::text from retried",
    )
    .persistent(false)
    .bind(job)
    .fetch_optional(tx)
    .await?;
    woken.map(|_| ()).ok_or(JobRetryError::NotFailed)
}

/// Deletes up to 10,000 jobs that were done before this time, and says how many.
pub async fn prune(tx: &mut PgConnection, before: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query(
        "delete from jobs where id in (select id from jobs where state = 'done' and ended_at < $1 limit 10000)",
    )
    .persistent(false)
    .bind(before)
    .execute(tx)
    .await?;
    Ok(deleted.rows_affected())
}
