//! The job that ends an attempt to buy which nobody finished, or which another one took the place of. The provider says
//! so by an event as well; this one also finds pages whose making was cut short.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    billing::checkout::CheckoutState,
    ids::{CheckoutId, TenantId},
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, NewJob};
use tenantry_postgres::{DatabaseError, SystemTx, billing::checkouts};

use super::{
    super::{BillingFault, job_error},
    page::{self, Closed},
};
use crate::{App, error::Fault};

/// The provider closes a page at its time; a moment later that is visible.
const AFTER: TimeDelta = TimeDelta::seconds(30);

/// Ends one checkout if it is still open.
#[derive(Debug)]
pub struct ExpireCheckout;

/// Which.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    checkout: CheckoutId,
}

/// The job, due when the checkout has run out.
pub(super) fn job(checkout: CheckoutId, expires_at: DateTime<Utc>) -> Result<NewJob, serde_json::Error> {
    Ok(NewJob::of::<ExpireCheckout>(&Payload { checkout })?
        .unique_key(format!("{}:{checkout}", ExpireCheckout::KIND))
        .run_at(expires_at + AFTER))
}

/// Queues, in the caller's transaction, that nobody can pay for a tenant any more that was bought in this checkout.
pub(in crate::billing) async fn close_others(
    tx: &mut SystemTx,
    tenant: TenantId,
    bought_in: CheckoutId,
    now: DateTime<Utc>,
    trace: Option<&str>,
) -> Result<(), Fault> {
    for other in checkouts::unpaid_of_tenant(tx, tenant, bought_in, now - AFTER).await? {
        enqueue(tx, other, trace).await?;
    }
    Ok(())
}

/// Queues, in the caller's transaction, that nobody can pay any more for a tenant that will not be.
pub(crate) async fn close_open(tx: &mut SystemTx, tenant: TenantId, trace: Option<&str>) -> Result<(), Fault> {
    for checkout in checkouts::open_of_tenant(tx, tenant).await? {
        enqueue(tx, checkout, trace).await?;
    }
    Ok(())
}

async fn enqueue(tx: &mut SystemTx, checkout: CheckoutId, trace: Option<&str>) -> Result<(), Fault> {
    let job = NewJob::of::<ExpireCheckout>(&Payload { checkout })?
        .unique_key(format!("{}:{checkout}", ExpireCheckout::KIND))
        .trace_id(trace.map(str::to_owned));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(())
}

#[async_trait]
impl Job for ExpireCheckout {
    const KIND: &'static str = "checkout.expire";
    type Context = App;
    type Payload = Payload;

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        cx.fence().await?;
        expire(cx.context(), payload.checkout, cx.trace_id())
            .await
            .map_err(job_error)
    }
}

/// Closes what is open of a checkout.
///
/// # Errors
/// The provider's or the ledger's.
pub async fn expire(app: &App, checkout: CheckoutId, trace: Option<&str>) -> Result<(), BillingFault> {
    let mut tx = app.database.read_system("look at a checkout that ran out").await?;
    let row = checkouts::find(&mut tx, checkout).await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(()) };
    if row.state == CheckoutState::Paid.as_str() {
        return Ok(());
    }
    let is_open = row.is_open();
    match page::find(app, &row).await? {
        Some(session) => {
            // Whatever the ledger says, a page that stays open can be paid on. Somebody may have done so, and nobody
            // told us: then settling it is what remains.
            let closed = page::close(app, checkout, &session).await?;
            if is_open || closed == Closed::UsedBefore {
                page::settle(app, &session, trace).await?;
            }
        }
        None if is_open => {
            page::end_without_page(app, checkout, CheckoutState::Expired, None, trace).await?;
        }
        None => {}
    }
    Ok(())
}
