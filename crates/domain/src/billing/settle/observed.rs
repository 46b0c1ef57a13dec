//! What the provider said about one purchase.

use super::super::{
    provider::{
        CheckoutSession, Invoice, InvoiceStatus, PaymentIntent, PaymentIntentStatus, PaymentStatus, SessionStatus,
        Subscription,
    },
    subscription::SubscriptionStatus,
};

/// What was fetched: the object that an event was about, and those that belong to it. All describe one purchase.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The payment page.
    pub session: Option<CheckoutSession>,
    /// The contract at the provider.
    pub subscription: Option<Subscription>,
    /// An invoice of that contract.
    pub invoice: Option<Invoice>,
    /// A payment of that invoice.
    pub payment_intent: Option<PaymentIntent>,
}

impl Observed {
    /// Whether money has arrived, or nothing is due. Said by the objects, never by the kind of an event.
    #[must_use]
    pub fn payment_is_proven(&self) -> bool {
        let by_session = self.session.as_ref().is_some_and(|session| {
            session.status == SessionStatus::Complete
                && matches!(
                    session.payment_status,
                    PaymentStatus::Paid | PaymentStatus::NoPaymentRequired
                )
        });
        let by_invoice = self
            .invoice
            .as_ref()
            .is_some_and(|invoice| invoice.status == InvoiceStatus::Paid);
        let by_payment = self
            .payment_intent
            .as_ref()
            .is_some_and(|payment| payment.status == PaymentIntentStatus::Succeeded);
        let by_trial = self
            .subscription
            .as_ref()
            .is_some_and(|subscription| subscription.status == Some(SubscriptionStatus::Trialing));
        by_session || by_invoice || by_payment || by_trial
    }

    /// Whether somebody went through the page and the bank refused the money afterwards, as it does with debits.
    pub(super) fn payment_was_refused(&self) -> bool {
        let waits = self.session.as_ref().is_some_and(|session| {
            session.status == SessionStatus::Complete && session.payment_status == PaymentStatus::Unpaid
        });
        let is_refused = self.payment_intent.as_ref().is_some_and(|payment| {
            matches!(
                payment.status,
                PaymentIntentStatus::RequiresPaymentMethod | PaymentIntentStatus::Canceled
            )
        });
        waits && is_refused && !self.payment_is_proven()
    }

    /// Whether the page says that nothing had to be paid, as while trying for free. Only the page says so: the newest
    /// invoice of a contract that was paid for may be one of nothing, too.
    pub(super) fn was_free(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.payment_status == PaymentStatus::NoPaymentRequired)
    }

    pub(super) fn livemodes(&self) -> impl Iterator<Item = bool> {
        let session = self.session.as_ref().map(|session| session.livemode);
        let subscription = self.subscription.as_ref().map(|subscription| subscription.livemode);
        let invoice = self.invoice.as_ref().map(|invoice| invoice.livemode);
        let payment = self.payment_intent.as_ref().map(|payment| payment.livemode);
        [session, subscription, invoice, payment].into_iter().flatten()
    }
}
