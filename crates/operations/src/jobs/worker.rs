use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use sqlx::PgPool;
use uuid::Uuid;

use super::handler::{AnyJob, JobContext, JobError, JobPolicy, JobRegistry};
use super::table::{self, JobEnd, JobRow};
use crate::dispatch::{Dispatcher, Lease, Rhythm, Source, SpanParent};
use crate::error::Failure;
use crate::policy::backoff;

/// How a worker works; the fields as in [`EngineConfig`](crate::EngineConfig).
#[derive(Clone)]
pub struct JobWorkerConfig {
    pub concurrency: usize,
    pub lease: Duration,
    pub heartbeat: Duration,
    pub poll: Duration,
    pub shutdown_grace: Duration,
    pub span_parent: Option<SpanParent>,
}

impl Default for JobWorkerConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_secs(4),
            heartbeat: Duration::from_secs(1),
            poll: Duration::from_millis(500),
            shutdown_grace: Duration::from_secs(20),
            span_parent: None,
        }
    }
}

/// Runs the jobs of a [`JobRegistry`], in as many processes as there are. Dropping it stops as a crash would.
pub struct JobWorker {
    dispatcher: Dispatcher,
}

impl JobWorker {
    /// Starts working. `pool` as for [`Engine::start`](crate::Engine::start).
    pub fn start<C: Send + Sync + 'static>(
        pool: PgPool,
        context: Arc<C>,
        registry: Arc<JobRegistry<C>>,
        config: JobWorkerConfig,
    ) -> Self {
        let rhythm = Rhythm {
            concurrency: config.concurrency,
            lease: config.lease,
            heartbeat: config.heartbeat,
            poll: config.poll,
            shutdown_grace: config.shutdown_grace,
        };
        let source = JobSource {
            pool: pool.clone(),
            kinds: registry.kinds(),
            context,
            registry,
            config,
        };
        Self {
            dispatcher: Dispatcher::start(&pool, Arc::new(source), rhythm),
        }
    }

    /// Claims nothing more, lets running jobs finish within the grace, and lets go of the rest.
    pub async fn shutdown(self) {
        self.dispatcher.shutdown().await;
    }
}

struct JobSource<C> {
    pool: PgPool,
    kinds: Vec<String>,
    context: Arc<C>,
    registry: Arc<JobRegistry<C>>,
    config: JobWorkerConfig,
}

#[async_trait]
impl<C: Send + Sync + 'static> Source for JobSource<C> {
    const CHANNEL: &'static str = "jobs_queued";
    const NAME: &'static str = "jobs";
    type Claimed = JobRow;

    async fn claim(&self, limit: i64) -> Result<Vec<JobRow>, sqlx::Error> {
        match table::claim(&self.pool, &self.kinds, self.config.lease, limit).await {
            // Another worker has just begun a job of the same queue; the next look will see it.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(Vec::new()),
            claimed => claimed,
        }
    }

    async fn renew(&self, control: &PgPool, ids: &[Uuid], epochs: &[i64]) -> Result<Vec<Uuid>, sqlx::Error> {
        table::renew(control, self.config.lease, ids, epochs).await
    }

    async fn release(&self, ids: &[Uuid], epochs: &[i64]) -> Result<(), sqlx::Error> {
        table::release(&self.pool, ids, epochs).await
    }

    fn key(claimed: &JobRow) -> (Uuid, i64) {
        (claimed.id, claimed.epoch)
    }

    fn span(&self, row: &JobRow) -> tracing::Span {
        let span = tracing::info_span!(
            "job",
            kind = %row.kind,
            job = %row.id,
            attempt = row.attempts,
            trace_id = row.trace_id.as_deref(),
        );
        if let (Some(set_parent), Some(trace_id)) = (&self.config.span_parent, &row.trace_id) {
            set_parent(&span, trace_id);
        }
        span
    }

    async fn run(&self, row: JobRow, lease: &Lease) -> Option<Duration> {
        let job = self.registry.get(&row.kind)?;
        let row = Arc::new(row);
        let is_complete = Arc::new(AtomicBool::new(false));
        let cx = JobContext {
            context: self.context.clone(),
            row: row.clone(),
            pool: self.pool.clone(),
            is_complete: is_complete.clone(),
        };
        let result = tokio::select! {
            biased;
            () = lease.lost() => Err(JobError::Superseded),
            result = handle(&*job, &cx) => result,
        };
        if result.is_ok() && is_complete.load(Ordering::Acquire) {
            return None;
        }
        self.conclude(&row, judge(result, &row, &job.policy(), rand::random()))
            .await
    }
}

impl<C> JobSource<C> {
    async fn conclude(&self, row: &JobRow, end: Option<JobEnd>) -> Option<Duration> {
        let Some(end) = end else {
            tracing::info!("another worker holds this job now");
            return None;
        };
        let pause = match &end {
            JobEnd::Done => None,
            JobEnd::Again { failure, pause } => {
                tracing::info!(%failure, technical = failure.technical, ?pause, "job failed, trying again");
                Some(*pause)
            }
            JobEnd::Failed(failure) => {
                tracing::error!(%failure, technical = failure.technical, "job failed and waits for a person");
                None
            }
        };
        match table::end(&self.pool, row, &end).await {
            Ok(true) => pause,
            Ok(false) => {
                tracing::info!("another worker holds this job now");
                None
            }
            Err(error) => {
                tracing::error!(%error, "lost the database; the job will run again");
                None
            }
        }
    }
}

async fn handle<C: Send + Sync>(job: &dyn AnyJob<C>, cx: &JobContext<C>) -> Result<(), JobError> {
    if cx.row.attempts > cx.row.max_attempts {
        return Err(JobError::give_up(
            "interrupted_too_often",
            "This job was cut short again and again.",
        ));
    }
    let timeout = job.policy().attempt_timeout;
    let work = AssertUnwindSafe(job.run(cx, cx.row.payload.clone())).catch_unwind();
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(JobError::Retry {
            failure: Failure::from_panic(&*panic),
            after: None,
        }),
        Err(_) => {
            let failure = Failure::new("job_timed_out", "This job took longer than it may.")
                .technical(format_args!("cut off after {timeout:?}"));
            Err(JobError::Retry { failure, after: None })
        }
    }
}

/// Nothing: the job is somebody else's.
fn judge(result: Result<(), JobError>, row: &JobRow, policy: &JobPolicy, random: f64) -> Option<JobEnd> {
    match result {
        Ok(()) => Some(JobEnd::Done),
        Err(JobError::Superseded) => None,
        Err(JobError::GiveUp(failure)) => Some(JobEnd::Failed(failure)),
        Err(JobError::Retry { failure, after: _ }) if row.attempts >= row.max_attempts => Some(JobEnd::Failed(failure)),
        Err(JobError::Retry { failure, after }) => {
            let attempts = u32::try_from(row.attempts).unwrap_or(u32::MAX);
            let pause = after.unwrap_or_else(|| backoff(policy.backoff_base, policy.backoff_cap, attempts, random));
            Some(JobEnd::Again { failure, pause })
        }
    }
}
