mod decide;
mod journal;
mod run;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use tracing::Instrument;
use uuid::Uuid;

use self::journal::{Claimed, Journal};
use self::run::Run;
use crate::dispatch::{Dispatcher, Lease, Rhythm, Source, SpanParent};
use crate::probe::Probe;
use crate::registry::Registry;

/// How an engine works. The defaults bring an operation back within five seconds of its worker's death.
#[derive(Clone)]
pub struct EngineConfig {
    /// Operations that run at once in this process. Waiting ones do not count.
    pub concurrency: usize,
    pub lease: Duration,
    pub heartbeat: Duration,
    /// Covers lost notifications and expired leases.
    pub poll: Duration,
    /// How long running steps may go on after [`Engine::shutdown`].
    pub shutdown_grace: Duration,
    /// Fault harness.
    pub probe: Option<Arc<dyn Probe>>,
    pub span_parent: Option<SpanParent>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            concurrency: 16,
            lease: Duration::from_secs(4),
            heartbeat: Duration::from_secs(1),
            poll: Duration::from_millis(500),
            shutdown_grace: Duration::from_secs(20),
            probe: None,
            span_parent: None,
        }
    }
}

/// Runs the operations of a [`Registry`], in as many processes as there are.
///
/// Dropping it stops in the middle of whatever it does, as a crash would; [`Engine::shutdown`] is the orderly end.
pub struct Engine {
    dispatcher: Dispatcher,
}

impl Engine {
    /// Starts working. `pool` must hold direct connections of a role that sees all rows; beside it the engine opens two
    /// connections of its own, for notifications and lease renewals.
    pub fn start<C: Send + Sync + 'static>(
        pool: PgPool,
        context: Arc<C>,
        registry: Arc<Registry<C>>,
        config: EngineConfig,
    ) -> Self {
        let rhythm = Rhythm {
            concurrency: config.concurrency,
            lease: config.lease,
            heartbeat: config.heartbeat,
            poll: config.poll,
            shutdown_grace: config.shutdown_grace,
        };
        let source = OperationSource {
            journal: Journal::new(pool.clone(), config.lease),
            kinds: registry.kinds(),
            context,
            registry,
            config,
        };
        Self {
            dispatcher: Dispatcher::start(&pool, Arc::new(source), rhythm),
        }
    }

    /// Claims nothing more, lets each running step finish within the grace, and lets go of everything.
    pub async fn shutdown(self) {
        self.dispatcher.shutdown().await;
    }
}

struct OperationSource<C> {
    journal: Journal,
    kinds: Vec<String>,
    context: Arc<C>,
    registry: Arc<Registry<C>>,
    config: EngineConfig,
}

#[async_trait]
impl<C: Send + Sync + 'static> Source for OperationSource<C> {
    const CHANNEL: &'static str = "operations_queued";
    const NAME: &'static str = "operations";
    type Claimed = Claimed;

    async fn claim(&self, limit: i64) -> Result<Vec<Claimed>, sqlx::Error> {
        self.journal.claim(&self.kinds, limit).await
    }

    async fn renew(&self, control: &PgPool, ids: &[Uuid], epochs: &[i64]) -> Result<Vec<Uuid>, sqlx::Error> {
        self.journal.renew(control, ids, epochs).await
    }

    async fn release(&self, ids: &[Uuid], epochs: &[i64]) -> Result<(), sqlx::Error> {
        self.journal.release(ids, epochs).await
    }

    fn key(claimed: &Claimed) -> (Uuid, i64) {
        (claimed.row.id, claimed.row.epoch)
    }

    fn span(&self, claimed: &Claimed) -> tracing::Span {
        let row = &claimed.row;
        let span = tracing::info_span!(
            "operation",
            kind = %row.kind,
            operation = %row.id,
            epoch = row.epoch,
            trace_id = row.trace_id.as_deref(),
        );
        if let (Some(set_parent), Some(trace_id)) = (&self.config.span_parent, &row.trace_id) {
            set_parent(&span, trace_id);
        }
        span
    }

    async fn run(&self, claimed: Claimed, lease: &Lease) -> Option<Duration> {
        let operation = self.registry.get(&claimed.row.kind)?.clone();
        let run = Run::new(
            &self.journal,
            self.config.probe.as_deref(),
            lease,
            operation.steps(),
            claimed,
        );
        Box::pin(run.until_pause(&*operation, self.context.clone()).in_current_span()).await
    }
}
