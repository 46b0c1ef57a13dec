use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::table::{JobEnd, JobRow, end};
use crate::error::{Failure, database_failure};
use crate::registry::RegistryError;

/// A kind of job.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// Stable: rows in the database carry it.
    const KIND: &'static str;
    type Context: Send + Sync + 'static;
    /// Read leniently: an older release may have written it.
    type Payload: Serialize + DeserializeOwned + Send + Sync + 'static;

    fn policy() -> JobPolicy {
        JobPolicy::DEFAULT
    }

    /// May run more than once and may stop at any await.
    async fn run(cx: &JobContext<Self::Context>, payload: Self::Payload) -> Result<(), JobError>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPolicy {
    /// Starts, those that a crash cut short included.
    pub max_attempts: u32,
    /// As in [`StepPolicy`](crate::StepPolicy).
    pub backoff_base: Duration,
    pub backoff_cap: Duration,
    pub attempt_timeout: Duration,
}

impl JobPolicy {
    pub const DEFAULT: Self = Self {
        max_attempts: 20,
        backoff_base: Duration::from_secs(1),
        backoff_cap: Duration::from_secs(300),
        attempt_timeout: Duration::from_secs(120),
    };
}

/// How a job ends when it is not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobError {
    /// Temporary. Run again after the policy's backoff, or after `after`.
    #[error("{failure}")]
    Retry { failure: Failure, after: Option<Duration> },
    /// Permanent. The job stays, as failed, for a person to see.
    #[error("{0}")]
    GiveUp(Failure),
    /// Another worker has the job now.
    #[error("another worker has taken over")]
    Superseded,
}

impl JobError {
    pub fn retry(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::Retry {
            failure: Failure::new(code, detail),
            after: None,
        }
    }

    pub fn give_up(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::GiveUp(Failure::new(code, detail))
    }
}

impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry {
            failure: database_failure(&error),
            after: None,
        }
    }
}

/// What one run of a job knows.
pub struct JobContext<C> {
    pub(super) context: Arc<C>,
    pub(super) row: Arc<JobRow>,
    pub(super) pool: PgPool,
    pub(super) is_complete: Arc<AtomicBool>,
}

impl<C> JobContext<C> {
    pub fn context(&self) -> &C {
        &self.context
    }

    pub fn id(&self) -> Uuid {
        self.row.id
    }

    /// Which run this is, from 1.
    pub fn attempt(&self) -> u32 {
        u32::try_from(self.row.attempts).unwrap_or(1)
    }

    /// The W3C `traceparent` under which it was queued.
    pub fn trace_id(&self) -> Option<&str> {
        self.row.trace_id.as_deref()
    }

    /// Whether the job is still ours, right before an effect outside the database. One round trip.
    pub async fn fence(&self) -> Result<(), JobError> {
        let held: bool = sqlx::query_scalar(
            "select exists (select from jobs where id = $1 and epoch = $2 and lease_until > clock_timestamp())",
        )
        .bind(self.row.id)
        .bind(self.row.epoch)
        .fetch_one(&self.pool)
        .await?;
        if held { Ok(()) } else { Err(JobError::Superseded) }
    }

    /// Marks the job done in the handler's own transaction, so that its effects and its end commit together. Commit and
    /// return afterwards.
    pub async fn complete(&self, tx: &mut PgConnection) -> Result<(), JobError> {
        if !end(tx, &self.row, &JobEnd::Done).await? {
            return Err(JobError::Superseded);
        }
        self.is_complete.store(true, Ordering::Release);
        Ok(())
    }
}

/// The jobs that this program can run.
pub struct JobRegistry<C> {
    kinds: HashMap<&'static str, Arc<dyn AnyJob<C>>>,
}

impl<C: Send + Sync + 'static> JobRegistry<C> {
    pub fn new() -> Self {
        Self { kinds: HashMap::new() }
    }

    pub fn with<J: Job<Context = C>>(mut self) -> Result<Self, RegistryError> {
        match self.kinds.insert(J::KIND, Arc::new(Registered::<J>(PhantomData))) {
            None => Ok(self),
            Some(_) => Err(RegistryError::DuplicateKind(J::KIND)),
        }
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.kinds.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(super) fn get(&self, kind: &str) -> Option<Arc<dyn AnyJob<C>>> {
        self.kinds.get(kind).cloned()
    }
}

impl<C: Send + Sync + 'static> Default for JobRegistry<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// [`Job`] without its payload type.
#[async_trait]
pub(super) trait AnyJob<C>: Send + Sync {
    fn policy(&self) -> JobPolicy;
    async fn run(&self, cx: &JobContext<C>, payload: Value) -> Result<(), JobError>;
}

struct Registered<J>(PhantomData<fn() -> J>);

#[async_trait]
impl<J: Job> AnyJob<J::Context> for Registered<J> {
    fn policy(&self) -> JobPolicy {
        J::policy()
    }

    async fn run(&self, cx: &JobContext<J::Context>, payload: Value) -> Result<(), JobError> {
        let payload = serde_json::from_value(payload).map_err(|error| {
            JobError::GiveUp(
                Failure::new(
                    "payload_unreadable",
                    "This job was queued by a release that this one cannot read.",
                )
                .technical(error),
            )
        })?;
        J::run(cx, payload).await
    }
}
