//! Removing what has served its time, so that tables stay as large as the business is.

use chrono::TimeDelta;
use tenantry_domain::accounts::{device::DEVICE_STAYS_KNOWN, throttle::FORGOTTEN_AFTER};
use tenantry_operations::jobs;
use tenantry_postgres::{DatabaseError, billing::inbox, sweep};

use crate::{App, error::Fault};

/// A code of a sign-in to a product lives a minute; what it gave is looked up by it for a little longer.
const KEEP_CODES: TimeDelta = TimeDelta::days(1);
/// Ended sessions and expired sign-ups stay this long, for questions.
const KEEP_SESSIONS: TimeDelta = TimeDelta::days(30);
/// Done jobs stay this long; failed ones stay until somebody has looked at them.
const KEEP_JOBS: TimeDelta = TimeDelta::days(7);
/// Settled events stay this long: three times as long as the provider itself lists them, so none is taken for new.
const KEEP_EVENTS: TimeDelta = TimeDelta::days(90);

/// Sweeps once.
///
/// # Errors
/// When the ledger does not answer.
pub async fn run(app: &App) -> Result<(), Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("remove what has expired").await?;
    let ages = sweep::Ages {
        ended_before: now - KEEP_SESSIONS,
        failures_before: now - FORGOTTEN_AFTER,
        devices_before: now - DEVICE_STAYS_KNOWN,
        codes_before: now - KEEP_CODES,
    };
    let rows = sweep::expired(&mut tx, now, ages).await?;
    let jobs = jobs::prune(tx.connection(), now - KEEP_JOBS)
        .await
        .map_err(DatabaseError::from)?;
    let events = inbox::prune(&mut tx, now - KEEP_EVENTS).await?;
    tx.commit().await?;
    if rows + jobs + events > 0 {
        tracing::info!(rows, jobs, events, "removed what had served its time");
    }
    Ok(())
}
