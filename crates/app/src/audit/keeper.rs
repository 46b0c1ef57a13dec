//! What every server does for the log, beside everything else: sealing, signing, and dropping what is old.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{CheckpointError, CheckpointLog, drop_old, seal_log, write_checkpoints};
use crate::App;

/// How often rows that wait are looked for. Not told by NOTIFY: each transaction that notifies waits, while it commits, for
/// every other one that does, and nobody is to wait for anybody on account of the log. Looking costs little, since what waits
/// has an index of its own.
const SEAL: Duration = Duration::from_secs(1);
/// How often what is old is looked for.
const DROP: Duration = Duration::from_secs(60 * 60);

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// Where checkpoints go.
    pub checkpoints: CheckpointLog,
    /// How often chains that have grown are signed.
    pub checkpoint_every: Duration,
    /// How old a row becomes; a year at least.
    pub keep_for: TimeDelta,
}

/// Keeps the log until `stop`, and then seals and signs what is there by then. Every replica may run it: they take turns. The
/// three go on beside each other, so that rows are sealed in time while much is dropped.
pub async fn keep(app: App, keeping: Keeping, stop: CancellationToken) {
    tokio::join!(
        keep_sealed(&app, &stop),
        keep_signed(&app, &keeping, &stop),
        keep_short(&app, &keeping, &stop),
    );
    seal_now(&app).await;
    sign_now(&app, &keeping.checkpoints).await;
}

async fn keep_sealed(app: &App, stop: &CancellationToken) {
    let mut ticks = every(SEAL);
    while next(&mut ticks, stop).await {
        seal_now(app).await;
    }
}

async fn keep_signed(app: &App, keeping: &Keeping, stop: &CancellationToken) {
    let mut ticks = every(keeping.checkpoint_every);
    while next(&mut ticks, stop).await {
        sign_now(app, &keeping.checkpoints).await;
    }
}

async fn keep_short(app: &App, keeping: &Keeping, stop: &CancellationToken) {
    let mut ticks = every(DROP);
    while next(&mut ticks, stop).await {
        tokio::select! {
            () = stop.cancelled() => return,
            () = drop_now(app, keeping.keep_for) => {}
        }
    }
}

/// At once, and then again and again.
fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next turn; false when there is none. What was begun is ended.
async fn next(ticks: &mut Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        _ = ticks.tick() => true,
    }
}

async fn seal_now(app: &App) {
    match seal_log(app).await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "sealed the audit log"),
        Err(error) => tracing::warn!(%error, "the audit log cannot be sealed now; it is tried again"),
    }
}

async fn sign_now(app: &App, log: &CheckpointLog) {
    match write_checkpoints(app, log).await {
        Ok(_) => {}
        Err(error @ CheckpointError::Unwritable { .. }) => tracing::error!(%error, "nothing vouches for the audit log"),
        Err(error) => tracing::warn!(%error, "the audit log cannot be signed now; it is tried again"),
    }
}

async fn drop_now(app: &App, keep_for: TimeDelta) {
    match drop_old(app, keep_for).await {
        Ok(0) => {}
        Ok(rows) => tracing::info!(rows, "dropped what was old from the audit log, behind anchors"),
        Err(error) => tracing::warn!(%error, "nothing can be dropped from the audit log now; it is tried again"),
    }
}
