//! Asks the payment provider for new events where no webhook can arrive, and feeds them to the same inbox.

use chrono::TimeDelta;
use tenantry_postgres::billing::inbox as table;

use super::{BillingFault, inbox};
use crate::{App, error::Fault};

/// Events are listed a little after they happen, and not in the order in which they happened.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);
/// How far back an installation looks that has seen no event yet.
const FIRST_LOOK: TimeDelta = TimeDelta::hours(1);
const AT_ONCE: usize = 5_000;

/// Asks once. A provider that does not answer is asked again at the next time.
///
/// # Errors
/// The ledger's.
pub async fn poll_events(app: &App) -> Result<(), Fault> {
    match poll(app).await {
        Ok(0) => {}
        Ok(new) => tracing::info!(new, "events arrived by polling"),
        Err(BillingFault::Payment(error)) => {
            tracing::warn!(code = error.code(), %error, "the payment provider could not be asked for events");
        }
        Err(error @ BillingFault::Overtaken) => tracing::warn!(%error, "events were not asked for"),
        Err(BillingFault::Fault(fault)) => return Err(fault),
    }
    Ok(())
}

/// Asks once, and says how many events were new.
///
/// # Errors
/// The provider's or the ledger's.
pub async fn poll(app: &App) -> Result<usize, BillingFault> {
    let mut tx = app.database.read_system("find where polling goes on").await?;
    let newest = table::newest(&mut tx).await?;
    tx.commit().await?;
    let since = newest.map_or_else(|| app.clock.now() - FIRST_LOOK, |newest| newest - OVERLAP);
    let events = app.payments.list_events(since, AT_ONCE).await?;
    Ok(inbox::take_listed(app, events).await?)
}
