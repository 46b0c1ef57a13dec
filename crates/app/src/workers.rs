//! Everything that runs without a request, put together from the areas: operations, jobs, timers.

use std::time::Duration;

use futures::future::BoxFuture;
use tenantry_operations::{Registry, RegistryError, jobs::JobRegistry};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{App, accounts, billing, error::Fault, mail, provisioning, sweep};

/// How often the payment provider is asked for events where no webhook can reach us.
const POLL_EVENTS: Duration = Duration::from_secs(2);
/// How often ledger and provider are compared.
const RECONCILE_PAYMENTS: Duration = Duration::from_secs(5 * 60);
/// How often ledger and cluster are compared.
const RECONCILE_CLUSTER: Duration = Duration::from_secs(60);
/// How often the age of signing keys is looked at.
const KEEP_KEYS_FRESH: Duration = Duration::from_secs(60 * 60);
/// How often what has served its time is removed.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// The operations that this program runs.
///
/// # Errors
/// When two of them have one name.
pub fn operations() -> Result<Registry<App>, RegistryError> {
    provisioning::register_operations(Registry::new())
}

/// The jobs that this program runs.
///
/// # Errors
/// When two of them have one name.
pub fn jobs() -> Result<JobRegistry<App>, RegistryError> {
    let registry = JobRegistry::new().with::<mail::SendMail>()?;
    let registry = billing::register_jobs(registry)?;
    provisioning::register_jobs(registry)
}

/// Starts what runs on a timer, until `stop`. Every replica may run them: what they queue is unique.
pub fn timers(app: &App, poll_events: bool, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let start = |period, name, act| every(period, name, app.clone(), stop.clone(), act);
    let mut timers = vec![
        tokio::spawn(provisioning::watch_cluster(app.clone(), stop.clone())),
        start(RECONCILE_CLUSTER, "compare the cluster", |app| {
            Box::pin(async move { provisioning::schedule_reconciliation(&app).await })
        }),
        start(RECONCILE_PAYMENTS, "compare payments", |app| {
            Box::pin(async move { billing::schedule_reconciliation(&app).await })
        }),
        start(KEEP_KEYS_FRESH, "keep signing keys fresh", |app| {
            Box::pin(async move { accounts::keep_keys_fresh(&app).await })
        }),
        start(SWEEP, "sweep", |app| Box::pin(async move { sweep::run(&app).await })),
    ];
    if poll_events {
        timers.push(start(POLL_EVENTS, "ask for events", |app| {
            Box::pin(async move { billing::poll_events(&app).await })
        }));
    }
    timers
}

/// One run of a timer.
type Act = fn(App) -> BoxFuture<'static, Result<(), Fault>>;

/// Runs `act` at once and then again and again. One that fails is logged and comes again at its next time.
fn every(period: Duration, name: &'static str, app: App, stop: CancellationToken, act: Act) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = act(app.clone()).await {
                tracing::warn!(timer = name, error = %error, "a timer failed; it comes again");
            }
        }
    })
}
