//! Payment provider and ledger compared on a timer: what no event told us heals here.
//!
//! One job looks at one page of the ledger and queues the next: however many purchases there are, a failure or a
//! deployment repeats one page only.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tenantry_domain::{
    billing::{
        provider::EventObject,
        settle::{Failed, Outcome},
    },
    ids::CheckoutId,
};
use tenantry_operations::jobs::{self, Job, JobContext, JobError, JobPolicy, NewJob};
use tenantry_postgres::{
    DatabaseError,
    billing::{checkouts, inbox, subscriptions},
};

use super::{BillingFault, apply, job_error, refunds};
use crate::{App, error::Fault};

/// So many objects are asked for by one job.
const PAGE: i64 = 25;
/// A payment that is to go back is looked at for so long, in case its subscription could not be ended.
const REFUNDS_FOR: TimeDelta = TimeDelta::days(90);

/// Compares one page of what is open or live.
#[derive(Debug)]
pub struct ReconcilePayments;

/// Which page.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Payload {
    #[serde(default)]
    cursor: Cursor,
}

/// How far a comparison has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", content = "after", rename_all = "snake_case")]
enum Cursor {
    /// Through checkouts, after this one.
    Checkouts(Option<CheckoutId>),
    /// Through payments that are to go back, after that of the subscription that the provider calls so.
    Refunds(Option<String>),
    /// Through contracts, after the one that the provider calls so.
    Subscriptions(Option<String>),
    /// Through what events were about that were given up while the provider was away, after the object that it calls so.
    GivenUp(Option<String>),
}

impl Default for Cursor {
    fn default() -> Self {
        Self::Checkouts(None)
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// How many payment pages and subscriptions were asked for.
    pub asked: usize,
    /// The provider's identifiers of those that need a person, with the code of what is wrong.
    pub failed: Vec<(String, String)>,
    /// The provider's identifiers of those that could not be asked for now.
    pub unanswered: Vec<String>,
}

/// Asks for a comparison now, unless one is under way. Called on a timer.
///
/// # Errors
/// The ledger's.
pub async fn schedule_reconciliation(app: &App) -> Result<(), Fault> {
    let mut tx = app
        .database
        .system("plan a comparison with the payment provider")
        .await?;
    if !inbox::has_live_job(&mut tx, ReconcilePayments::KIND).await? {
        let job = NewJob::of::<ReconcilePayments>(&Payload::default())?.unique_key(ReconcilePayments::KIND);
        jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    }
    Ok(tx.commit().await?)
}

#[async_trait]
impl Job for ReconcilePayments {
    const KIND: &'static str = "reconcile.stripe";
    type Context = App;
    type Payload = Payload;

    /// A page of a provider that answers slowly still ends.
    fn policy() -> JobPolicy {
        JobPolicy {
            attempt_timeout: Duration::from_secs(600),
            ..JobPolicy::DEFAULT
        }
    }

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        let app = cx.context();
        cx.fence().await?;
        let mut found = Reconciliation::default();
        let next = found.page(app, payload.cursor).await.map_err(job_error)?;
        if !found.failed.is_empty() || !found.unanswered.is_empty() {
            tracing::warn!(?found, "payments that need a look");
        }
        if let Some(cursor) = next {
            go_on(app, cursor)
                .await
                .map_err(|fault| JobError::retry("fault", fault.to_string()))?;
        }
        Ok(())
    }
}

async fn go_on(app: &App, cursor: Cursor) -> Result<(), Fault> {
    // A key of its own: this job's key would give this job, which runs, the payload of the next.
    let key = format!("{}:{}", ReconcilePayments::KIND, serde_json::to_string(&cursor)?);
    let job = NewJob::of::<ReconcilePayments>(&Payload { cursor })?.unique_key(key);
    let mut tx = app.database.system("go on comparing with the payment provider").await?;
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(tx.commit().await?)
}

/// Asks for every open checkout, every one whose payment is to go back, every live subscription, and what events were
/// about that were given up in vain, each as it is now, and makes the ledger follow: all pages, one after the other.
///
/// # Errors
/// When the ledger cannot be listed; what goes wrong with one object is noted, and the next one is asked for.
pub async fn reconcile(app: &App) -> Result<Reconciliation, BillingFault> {
    let mut found = Reconciliation::default();
    let mut cursor = Some(Cursor::default());
    while let Some(at) = cursor {
        cursor = found.page(app, at).await?;
    }
    Ok(found)
}

/// Queues a look at each object whose events wait and have nobody to look at them: their job was cut short too often.
async fn wake_stranded(app: &App) -> Result<(), Fault> {
    let mut tx = app.database.system("find events that nobody looks at").await?;
    for (object_id, object_type) in inbox::stranded(&mut tx, apply::ApplyEvents::KIND, PAGE).await? {
        tracing::warn!(object = object_id, "events waited and had no job");
        apply::enqueue(&mut tx, &object_id, &object_type, None).await?;
    }
    Ok(tx.commit().await?)
}

impl Reconciliation {
    /// Looks at one page, and says where the next one begins.
    async fn page(&mut self, app: &App, cursor: Cursor) -> Result<Option<Cursor>, BillingFault> {
        wake_stranded(app).await?;
        match cursor {
            Cursor::Checkouts(after) => {
                let since = app.clock.now() - REFUNDS_FOR;
                let mut tx = app.database.read_system("list open checkouts").await?;
                let open = checkouts::to_compare(&mut tx, after, since, PAGE).await?;
                tx.commit().await?;
                let next = match open.last() {
                    Some(last) => Cursor::Checkouts(Some(CheckoutId::from_uuid(last.id))),
                    None => Cursor::Refunds(None),
                };
                for session in open.into_iter().filter_map(|row| row.stripe_session_id) {
                    self.look(app, EventObject::CheckoutSession(session)).await;
                }
                Ok(Some(next))
            }
            // Somebody may have sent one back by hand, and no event told us.
            Cursor::Refunds(after) => {
                let since = app.clock.now() - REFUNDS_FOR;
                let mut tx = app.database.read_system("list payments that are to go back").await?;
                let page = checkouts::refunds_to_compare(&mut tx, after.as_deref(), since, PAGE).await?;
                tx.commit().await?;
                let next = match page.last() {
                    Some(last) => Cursor::Refunds(Some(last.clone())),
                    None => Cursor::Subscriptions(None),
                };
                for subscription in page {
                    self.look_for_refund(app, &subscription).await;
                }
                Ok(Some(next))
            }
            Cursor::Subscriptions(after) => {
                let mut tx = app.database.read_system("list live subscriptions").await?;
                let live = subscriptions::live_provider_ids(&mut tx, after.as_deref(), PAGE).await?;
                tx.commit().await?;
                let next = match live.last() {
                    Some(last) => Cursor::Subscriptions(Some(last.clone())),
                    None => Cursor::GivenUp(None),
                };
                for subscription in live {
                    self.look(app, EventObject::Subscription(subscription)).await;
                }
                Ok(Some(next))
            }
            Cursor::GivenUp(after) => {
                let mut tx = app.database.read_system("list what events were given up").await?;
                let page = inbox::given_up(&mut tx, &apply::passing_reasons(), after.as_deref(), PAGE).await?;
                tx.commit().await?;
                let next = page.last().map(|(last, _)| Cursor::GivenUp(Some(last.clone())));
                for object in page.iter().filter_map(|(id, kind)| EventObject::new(kind, id)) {
                    self.look(app, object).await;
                }
                Ok(next)
            }
        }
    }

    async fn look_for_refund(&mut self, app: &App, subscription: &str) {
        match refunds::payment_of(app, subscription).await {
            Ok(Some(payment)) => self.look(app, EventObject::PaymentIntent(payment)).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(subscription, %error, "a refund could not be looked for");
                self.unanswered.push(subscription.to_owned());
            }
        }
    }

    async fn look(&mut self, app: &App, object: EventObject) {
        self.asked += 1;
        match apply::settle_object(app, &object, None).await {
            Ok(Outcome::Failed(reason)) => self
                .failed
                .push((object.id().to_owned(), Failed::code(reason).to_owned())),
            Ok(_) => {}
            // One row that cannot be read must not keep all others from being compared.
            Err(error) => {
                tracing::warn!(object = object.id(), %error, "an object could not be compared");
                self.unanswered.push(object.id().to_owned());
            }
        }
    }
}
