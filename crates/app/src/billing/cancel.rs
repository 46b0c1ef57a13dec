//! The job that ends a subscription which nobody wants: the second payment for one purchase, one that cannot be
//! delivered, or one whose last tenant was removed.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenantry_domain::billing::PaymentError;
use tenantry_operations::jobs::{self, Job, JobContext, JobError, JobPolicy, NewJob};
use tenantry_postgres::{DatabaseError, SystemTx};

use super::{
    BillingFault,
    calls::{self, Intent, Write},
    job_error,
};
use crate::{App, error::Fault};

/// Ends one subscription at the provider.
#[derive(Debug)]
pub struct CancelUnwanted;

/// Which.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    subscription: String,
}

/// Queues it in the caller's transaction.
pub(crate) async fn enqueue(tx: &mut SystemTx, subscription: &str, trace: Option<&str>) -> Result<(), Fault> {
    let job = NewJob::of::<CancelUnwanted>(&Payload {
        subscription: subscription.to_owned(),
    })?
    .unique_key(format!("{}:{subscription}", CancelUnwanted::KIND))
    .trace_id(trace.map(str::to_owned));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(())
}

#[async_trait]
impl Job for CancelUnwanted {
    const KIND: &'static str = "stripe.cancel";
    type Context = App;
    type Payload = Payload;

    /// A provider may be away for a day, and the next month's charge is far away: about a week.
    fn policy() -> JobPolicy {
        JobPolicy {
            max_attempts: 350,
            backoff_cap: Duration::from_secs(3600),
            ..JobPolicy::DEFAULT
        }
    }

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        cx.fence().await?;
        let intent = Intent {
            key: format!("subscription:{}:cancel", payload.subscription),
            purpose: "end a subscription that nobody wants",
            subject: None,
            write: &Write::CancelSubscription {
                subscription: payload.subscription.clone(),
            },
        };
        match calls::perform(cx.context(), &intent).await {
            Ok(_) | Err(BillingFault::Payment(PaymentError::NotFound)) => Ok(()),
            Err(error) => Err(job_error(error)),
        }
    }
}
