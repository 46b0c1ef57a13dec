//! The late end of bank debits: the payment, its invoice, its subscription and its checkout session learn of it together.

use serde_json::{Value, json};

use crate::billing_cycle;
use crate::cards::Behavior;
use crate::errors::ApiError;
use crate::invoice_payments;
use crate::invoices;
use crate::payment_intents;
use crate::payment_methods;
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::subscriptions;

/// Settles a payment that is under way; `succeeds` overrides what the account would do. False where nothing was.
pub(crate) fn settle(state: &mut State, intent_id: &str, succeeds: Option<bool>) -> bool {
    let Some(intent) = state.store.object(Kind::PaymentIntent, intent_id).cloned() else {
        return false;
    };
    let method = intent["payment_method"].as_str().unwrap_or_default();
    let planned = payment_methods::behavior(state, method);
    let succeeds = succeeds.unwrap_or(!matches!(planned, Behavior::FailsLater { .. }));
    let refusal = (!succeeds).then(|| {
        ApiError::card_declined(
            "payment_intent_payment_attempt_failed",
            Some("insufficient_funds"),
            "The bank returned the debit: insufficient funds.",
        )
    });
    if !payment_intents::settle(state, intent_id, refusal.as_ref()) {
        return false;
    }
    let invoice = invoice_of(state, intent_id);
    let session = session_of(state, intent_id, invoice.as_ref());
    match &invoice {
        Some(invoice) if succeeds => {
            invoices::mark_paid(state, id_of(invoice));
            if let Some(subscription) = billing_cycle::subscription_of(invoice) {
                subscriptions::activate(state, subscription, None);
            }
        }
        Some(invoice) if invoice["billing_reason"] == "subscription_create" => {
            invoices::mark_failed(state, id_of(invoice), None);
        }
        Some(invoice) => billing_cycle::collection_failed(state, invoice),
        None => {}
    }
    if let Some(session) = session {
        let session = state.change(Kind::CheckoutSession, &session, None, |session| {
            if succeeds {
                session["payment_status"] = json!("paid");
            }
        });
        let word = if succeeds { "succeeded" } else { "failed" };
        state.emit(&format!("checkout.session.async_payment_{word}"), &session);
    }
    true
}

fn invoice_of(state: &State, intent_id: &str) -> Option<Value> {
    let payments = state
        .store
        .by_index(Kind::InvoicePayment, "/payment/payment_intent", intent_id)?;
    let invoice = payments.first()?.1.object["invoice"].as_str()?.to_owned();
    state.store.object(Kind::Invoice, &invoice).cloned()
}

/// The completed session that waits for this payment.
fn session_of(state: &State, intent_id: &str, invoice: Option<&Value>) -> Option<String> {
    let sessions = match invoice {
        Some(invoice) => {
            let subscription = billing_cycle::subscription_of(invoice)?;
            state
                .store
                .by_index(Kind::CheckoutSession, "/subscription", subscription)?
        }
        None => state
            .store
            .by_index(Kind::CheckoutSession, "/payment_intent", intent_id)?,
    };
    sessions
        .into_iter()
        .map(|(_, record)| &record.object)
        .find(|session| {
            session["payment_status"] == "unpaid" && invoice.is_none_or(|invoice| session["invoice"] == invoice["id"])
        })
        .map(|session| id_of(session).to_owned())
}

/// The payment intent of an invoice that was paid elsewhere is not needed any more.
pub(crate) fn release_intent(state: &mut State, invoice_id: &str) {
    if let Some(intent) = invoice_payments::intent_of_invoice(state, invoice_id) {
        payment_intents::cancel(state, &intent, "abandoned");
    }
}
