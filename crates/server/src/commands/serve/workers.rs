//! The half of the server that works: operations, jobs, and what runs on a timer.

use std::sync::Arc;

use tenantry_app::{App, workers};
use tenantry_operations::{
    Engine, EngineConfig, Probe,
    jobs::{JobWorker, JobWorkerConfig},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Configuration,
    exit::{Failure, FailureKind},
    telemetry,
};

/// What was started.
pub(super) struct Workers {
    engine: Engine,
    jobs: JobWorker,
    timers: Vec<JoinHandle<()>>,
}

/// Starts them; each claims work at once.
pub(super) async fn start(
    configuration: &Configuration,
    app: &App,
    stop: &CancellationToken,
) -> Result<Workers, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(FailureKind::Failed, error);
    let operations = workers::operations().map_err(|error| failed(&error))?;
    let handlers = workers::jobs().map_err(|error| failed(&error))?;
    let (pool, context) = (app.database.direct().clone(), Arc::new(app.clone()));
    let engine = Engine::start(
        pool.clone(),
        context.clone(),
        Arc::new(operations),
        EngineConfig {
            concurrency: configuration.operation_workers,
            probe: probe(),
            span_parent: Some(Arc::new(telemetry::continue_trace)),
            ..EngineConfig::default()
        },
    );
    let jobs = JobWorker::start(
        pool,
        context,
        Arc::new(handlers),
        JobWorkerConfig {
            concurrency: configuration.job_workers,
            span_parent: Some(Arc::new(telemetry::continue_trace)),
            ..JobWorkerConfig::default()
        },
    );
    let timers = workers::timers(app, configuration.stripe_poll_events, stop);
    Ok(Workers { engine, jobs, timers })
}

/// Where a test has the server die.
#[cfg(any(debug_assertions, feature = "fault-injection"))]
fn probe() -> Option<Arc<dyn Probe>> {
    crate::kill_points::from_environment()
}

/// What customers depend on cannot be told to die.
#[cfg(not(any(debug_assertions, feature = "fault-injection")))]
const fn probe() -> Option<Arc<dyn Probe>> {
    None
}

impl Workers {
    /// Claims nothing more, lets running steps finish within their grace, lets go of the rest.
    pub(super) async fn shut_down(self) {
        tokio::join!(self.engine.shutdown(), self.jobs.shutdown());
        for timer in self.timers {
            timer.abort();
        }
    }
}
