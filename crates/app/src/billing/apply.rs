//! What an event is about is asked for as it is now, and the ledger made to follow.
//!
//! Fetching and applying are fenced for each object: a number is taken before asking, and an answer is applied only if
//! nothing that was asked for later has been applied. All events of one object that wait share one fetch.

mod fetch;
mod write;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    billing::{
        PaymentError,
        provider::EventObject,
        settle::{self, Failed, Ignored, Ledger, Outcome, Settlement},
    },
    mail::Message,
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, JobPolicy, NewJob};
use tenantry_postgres::{
    DatabaseError, SystemTx,
    billing::{checkouts, customers, inbox, objects, purchases},
};

use super::{BillingFault, events, job_error, sales};
use crate::{App, error::Fault, mail};

use fetch::{Fetched, fetch};

/// An answer is overtaken only while another worker settles the same purchase, which ends soon.
const MAX_ROUNDS: usize = 5;

/// Reasons of ours for which events wait.
const OVERTAKEN: &str = "overtaken";
const FAULT: &str = "fault";

/// Looks at all waiting events of one object.
#[derive(Debug)]
pub struct ApplyEvents;

/// What the events are about.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    object_id: String,
    object_type: String,
}

/// Queues a look at an object in the caller's transaction.
pub(super) async fn enqueue(
    tx: &mut SystemTx,
    object_id: &str,
    object_type: &str,
    trace: Option<&str>,
) -> Result<(), Fault> {
    let payload = Payload {
        object_id: object_id.to_owned(),
        object_type: object_type.to_owned(),
    };
    let job = NewJob::of::<ApplyEvents>(&payload)?
        .unique_key(format!("{}:{object_id}", ApplyEvents::KIND))
        .trace_id(trace.map(str::to_owned));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(())
}

#[async_trait]
impl Job for ApplyEvents {
    const KIND: &'static str = "stripe.apply";
    type Context = App;
    type Payload = Payload;

    /// Over three days: longer than the provider itself would deliver an event again to a server that is away.
    fn policy() -> JobPolicy {
        JobPolicy {
            max_attempts: 1000,
            backoff_cap: Duration::from_secs(600),
            ..JobPolicy::DEFAULT
        }
    }

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        let app = cx.context();
        let Some(object) = EventObject::new(&payload.object_type, &payload.object_id) else {
            return Err(JobError::give_up(
                "object_unknown",
                "This kind of object is not looked at.",
            ));
        };
        let mut seen = Vec::new();
        match settle_waiting(app, &object, cx.trace_id(), &mut seen).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let is_last = cx.attempt() >= Self::policy().max_attempts || !is_temporary(&error);
                note_failure(app, &seen, &error, is_last).await.map_err(job_error)?;
                Err(job_error(error))
            }
        }
    }
}

fn is_temporary(error: &BillingFault) -> bool {
    match error {
        BillingFault::Payment(error) => error.is_temporary(),
        BillingFault::Overtaken | BillingFault::Fault(_) => true,
    }
}

/// Why events are given up that whoever looks at their object next settles all the same: what was wrong was not about
/// the object.
pub(super) fn passing_reasons() -> Vec<&'static str> {
    let ours = [OVERTAKEN, FAULT];
    PaymentError::CODES_OF_OUTAGES.into_iter().chain(ours).collect()
}

async fn note_failure(app: &App, events: &[String], error: &BillingFault, is_last: bool) -> Result<(), BillingFault> {
    let code = match error {
        BillingFault::Payment(error) => error.code(),
        BillingFault::Overtaken => OVERTAKEN,
        BillingFault::Fault(_) => FAULT,
    };
    let mut tx = app.database.system("note why events still wait").await?;
    inbox::note_failure(&mut tx, events, code, is_last, app.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Asks for an object as it is now, makes the ledger follow, and settles the events that wait for it.
///
/// # Errors
/// The provider's or the ledger's; nothing was changed then.
pub async fn settle_object(app: &App, object: &EventObject, trace: Option<&str>) -> Result<Outcome, BillingFault> {
    settle_waiting(app, object, trace, &mut Vec::new()).await
}

/// `seen` holds the events that the last look was about.
async fn settle_waiting(
    app: &App,
    object: &EventObject,
    trace: Option<&str>,
    seen: &mut Vec<String>,
) -> Result<Outcome, BillingFault> {
    let mut overtaken = 0;
    while overtaken < MAX_ROUNDS {
        // Before the fetch: what arrives later may know more than the answer.
        let mut tx = app.database.system("read which events wait for an object").await?;
        *seen = inbox::waiting(&mut tx, object.id(), &passing_reasons()).await?;
        tx.commit().await?;
        let fetched = fetch(app, object).await?;
        match apply(app, object, fetched, seen, trace).await? {
            None => overtaken += 1,
            Some(_) if seen.len() == inbox::SETTLED_TOGETHER => {}
            Some(outcome) => {
                tracing::info!(object = object.id(), events = seen.len(), ?outcome, "settled");
                return Ok(outcome);
            }
        }
    }
    Err(BillingFault::Overtaken)
}

/// `None`: the answer was overtaken, ask again.
async fn apply(
    app: &App,
    object: &EventObject,
    fetched: Option<Fetched>,
    waiting: &[String],
    trace: Option<&str>,
) -> Result<Option<Outcome>, BillingFault> {
    let now = app.clock.now();
    let mut tx = app.database.system("settle a payment").await?;
    let outcome = match &fetched {
        None => gone(&mut tx, object).await?,
        Some(fetched) => {
            let fresh = objects::lock(&mut tx, &fetched.fence).await?;
            if fresh.len() < fetched.fence.len() {
                return Ok(None);
            }
            let ledger = gather(&mut tx, app, fetched).await?;
            let Settlement { changes, outcome } = settle::settle(&ledger, &fetched.observed, now);
            write::changes(&mut tx, app, &changes, trace).await?;
            let organization = ledger.checkout.as_ref().map(|checkout| checkout.organization);
            objects::set_applied(&mut tx, &fetched.fence, organization, now).await?;
            outcome
        }
    };
    inbox::settle(&mut tx, waiting, outcome, &passing_reasons(), now).await?;
    if let Outcome::Failed(reason) = outcome {
        tell_operator(&mut tx, app, object, reason, trace).await?;
    }
    tx.commit().await?;
    if let Outcome::Failed(reason) = outcome {
        tracing::error!(object = object.id(), code = reason.code(), "a payment needs a person");
    }
    Ok(Some(outcome))
}

/// Once for each object and what is wrong with it.
async fn tell_operator(
    tx: &mut SystemTx,
    app: &App,
    object: &EventObject,
    reason: Failed,
    trace: Option<&str>,
) -> Result<(), Fault> {
    let Some(to) = app.settings.operator_email.as_deref() else {
        return Ok(());
    };
    let message = Message::PaymentNeedsPerson {
        object: object.id().to_owned(),
        code: reason.code().to_owned(),
        advice: events::explain(reason.code()).to_owned(),
        link: app.settings.operator_link("/operator/inbox"),
    };
    let cause = format!("payment_needs_person:{}:{}", object.id(), reason.code());
    mail::queue_in(tx, app, trace, &cause, to, message).await
}

/// The provider does not have the object any more.
async fn gone(tx: &mut SystemTx, object: &EventObject) -> Result<Outcome, BillingFault> {
    let is_ours = match object {
        EventObject::Subscription(id) => purchases::lock_contract(tx, id).await?.is_some(),
        EventObject::CheckoutSession(id) => checkouts::has_session(tx, id).await?,
        EventObject::Invoice(_) | EventObject::PaymentIntent(_) => false,
    };
    Ok(if is_ours {
        Outcome::Failed(Failed::ObjectGone)
    } else {
        Outcome::Ignored(Ignored::ObjectGone)
    })
}

/// Everything that the ledger knows about the purchase, locked until the transaction ends.
async fn gather(tx: &mut SystemTx, app: &App, fetched: &Fetched) -> Result<Ledger, BillingFault> {
    let observed = &fetched.observed;
    let by_session = observed
        .session
        .as_ref()
        .and_then(|session| session.references.checkout);
    let by_subscription = observed
        .subscription
        .as_ref()
        .and_then(|subscription| subscription.references.checkout);
    let (checkout, tenant) = match by_subscription.or(by_session) {
        Some(id) => purchases::lock_checkout(tx, id)
            .await?
            .map_or((None, None), |(checkout, tenant)| (Some(checkout), tenant)),
        None => (None, None),
    };
    let contract = match &observed.subscription {
        Some(subscription) => purchases::lock_contract(tx, &subscription.id).await?,
        None => None,
    };
    let price = match observed
        .subscription
        .as_ref()
        .and_then(|subscription| subscription.price.as_deref())
    {
        Some(price) => purchases::find_price(tx, price).await?,
        None => None,
    };
    let has_live_shared_contract = match &checkout {
        Some(checkout) => purchases::has_live_shared_contract(tx, checkout.organization, &checkout.product).await?,
        None => false,
    };
    let customer = match &checkout {
        Some(checkout) => customers::find(tx, checkout.organization)
            .await?
            .and_then(|customer| customer.provider_id),
        None => None,
    };
    let payer_was_told = match &observed.invoice {
        Some(invoice) => mail::was_queued(tx, &sales::failed_payment(&invoice.id)).await?,
        None => false,
    };
    Ok(Ledger {
        installation: app.settings.installation,
        livemode: app.settings.livemode,
        checkout,
        tenant,
        customer,
        contract,
        price,
        has_live_shared_contract,
        payer_was_told,
    })
}
