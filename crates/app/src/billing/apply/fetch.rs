//! From what an event is about to everything that belongs to the same purchase, each as it is now.
//!
//! A payment names neither its invoice nor its checkout; the way leads over the provider's list of invoice payments.

use tenantry_domain::billing::{
    PaymentError,
    provider::{EventObject, InvoiceStatus, PaymentStatus, SessionStatus},
    settle::Observed,
};
use tenantry_postgres::billing::objects;

use super::super::BillingFault;
use crate::App;

/// What the provider answered, and under which numbers it was asked.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) observed: Observed,
    pub(super) fence: Vec<(String, i64)>,
}

/// Asks. `None`: the object itself is not there any more. That something it names is not there is no answer: it is asked
/// for again, and if it stays so a person has to look.
pub(super) async fn fetch(app: &App, object: &EventObject) -> Result<Option<Fetched>, BillingFault> {
    let mut fetched = Fetched::default();
    match fetched.follow(app, object).await {
        Ok(()) => Ok(Some(fetched)),
        Err(BillingFault::Payment(PaymentError::NotFound)) if fetched.observed == Observed::default() => Ok(None),
        Err(BillingFault::Payment(PaymentError::NotFound)) => Err(PaymentError::Unreadable {
            reason: "it names an object that is not there".to_owned(),
        }
        .into()),
        Err(error) => Err(error),
    }
}

impl Fetched {
    async fn follow(&mut self, app: &App, object: &EventObject) -> Result<(), BillingFault> {
        match object {
            EventObject::CheckoutSession(id) => self.session(app, id).await,
            EventObject::Subscription(id) => self.subscription(app, id).await,
            EventObject::Invoice(id) => self.invoice(app, id).await,
            EventObject::PaymentIntent(id) => self.payment_intent(app, id).await,
        }
    }

    async fn session(&mut self, app: &App, id: &str) -> Result<(), BillingFault> {
        self.number(app, id).await?;
        let session = app.payments.get_checkout(id).await?;
        let subscription = session.subscription.clone();
        self.observed.session = Some(session);
        match subscription {
            Some(subscription) => {
                self.subscription(app, &subscription).await?;
                self.payment_under_way(app).await
            }
            None => Ok(()),
        }
    }

    /// Somebody went through the page and no money has come: the payment says whether it is under way or was refused.
    async fn payment_under_way(&mut self, app: &App) -> Result<(), BillingFault> {
        let waits = self.observed.session.as_ref().is_some_and(|session| {
            session.status == SessionStatus::Complete && session.payment_status == PaymentStatus::Unpaid
        });
        let invoice = self.observed.invoice.as_ref();
        let Some(invoice) = invoice.filter(|invoice| waits && invoice.status == InvoiceStatus::Open) else {
            return Ok(());
        };
        if let Some(payment) = app.payments.payment_intent_of_invoice(&invoice.id).await? {
            self.number(app, &payment).await?;
            self.observed.payment_intent = Some(app.payments.get_payment_intent(&payment).await?);
        }
        Ok(())
    }

    /// With its newest invoice, which proves payment where nothing else did.
    async fn subscription(&mut self, app: &App, id: &str) -> Result<(), BillingFault> {
        self.number(app, id).await?;
        let subscription = app.payments.get_subscription(id).await?;
        let invoice = subscription.latest_invoice.clone();
        self.observed.subscription = Some(subscription);
        if let (None, Some(invoice)) = (&self.observed.invoice, invoice) {
            self.number(app, &invoice).await?;
            self.observed.invoice = Some(app.payments.get_invoice(&invoice).await?);
        }
        Ok(())
    }

    async fn invoice(&mut self, app: &App, id: &str) -> Result<(), BillingFault> {
        self.number(app, id).await?;
        let invoice = app.payments.get_invoice(id).await?;
        let subscription = invoice.subscription.clone();
        self.observed.invoice = Some(invoice);
        match subscription {
            Some(subscription) => self.subscription(app, &subscription).await,
            None => Ok(()),
        }
    }

    async fn payment_intent(&mut self, app: &App, id: &str) -> Result<(), BillingFault> {
        self.number(app, id).await?;
        self.observed.payment_intent = Some(app.payments.get_payment_intent(id).await?);
        match app.payments.invoice_of_payment_intent(id).await? {
            Some(invoice) => self.invoice(app, &invoice).await,
            None => Ok(()),
        }
    }

    /// Takes the next number of an object, in a transaction of its own, before it is asked for.
    async fn number(&mut self, app: &App, id: &str) -> Result<(), BillingFault> {
        let mut tx = app.database.system("take the number of a fetch").await?;
        let number = objects::take_fetch_no(&mut tx, id).await?;
        tx.commit().await?;
        self.fence.push((id.to_owned(), number));
        Ok(())
    }
}
