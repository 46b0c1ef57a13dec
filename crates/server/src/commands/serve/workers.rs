//! The half of the server that works: operations, jobs, and what runs on a timer.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use tenantry_app::{
    App,
    audit::{self, CheckpointLog, Keeping},
    workers,
};
use tenantry_operations::{
    Engine, EngineConfig, Probe,
    jobs::{JobWorker, JobWorkerConfig},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::shutdown;
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
    audit: JoinHandle<()>,
    stop_audit: CancellationToken,
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
    let stop_audit = CancellationToken::new();
    let audit = tokio::spawn(audit::keep(app.clone(), keeping(configuration), stop_audit.clone()));
    Ok(Workers {
        engine,
        jobs,
        timers,
        audit,
        stop_audit,
    })
}

fn keeping(configuration: &Configuration) -> Keeping {
    Keeping {
        checkpoints: CheckpointLog::new(configuration.audit_checkpoints.clone(), announce),
        checkpoint_every: Duration::from_secs(configuration.audit_checkpoint_secs),
        keep_for: TimeDelta::days(configuration.audit_keep_days.into()),
    }
}

/// On standard output, beside the logs on standard error: whoever collects it keeps checkpoints where the database's
/// superuser has no say. Nobody may be reading, and then the file is what counts.
fn announce(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
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
    /// Claims nothing more, lets running steps finish within their grace, lets go of the rest. The audit log is sealed and
    /// signed last, with what they have written to it.
    pub(super) async fn shut_down(mut self) {
        tokio::join!(self.engine.shutdown(), self.jobs.shutdown());
        for timer in self.timers {
            timer.abort();
        }
        self.stop_audit.cancel();
        shutdown::within_grace(&mut self.audit).await;
    }
}
