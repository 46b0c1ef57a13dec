//! Counts what nobody fails at, in the caller's transaction: what is rolled back has not been asked for. Replicas agree,
//! because PostgreSQL counts.

use chrono::SubsecRound;
use tenantry_domain::accounts::{Allowance, rate::Rate};
use tenantry_postgres::{SystemTx, accounts::request_rates};

use crate::{App, error::Fault};

/// Uses one up of what `subject` may ask for, and returns what is left; or the pause, where nothing is. Admit subjects in
/// the same order always: each stays locked until the transaction ends.
pub(crate) async fn admit(
    app: &App,
    tx: &mut SystemTx,
    subject: &[u8; 32],
    rate: Rate,
) -> Result<Result<Allowance, Allowance>, Fault> {
    // As exact as the ledger keeps it: what is rounded up would be asked for once more.
    let now = app.clock.now().trunc_subsecs(6);
    let used_until = request_rates::lock(tx, subject, now).await?;
    let taken = match rate.take(used_until, now) {
        Ok(taken) => taken,
        Err(pause) => return Ok(Err(pause)),
    };
    request_rates::set(tx, subject, taken.used_until).await?;
    Ok(Ok(taken.left))
}
