//! Invoice payments: the link between an invoice and the payment intent that pays it.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::lists::{Filter, list, shape};
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const LIST: &str = "invoice, payment{*type:payment_intent|payment_record, payment_intent, payment_record}, \
    status:open|paid|canceled, created:range, limit:int, starting_after, ending_before, expand[]";

pub(crate) fn create(state: &mut State, invoice: &Value, intent_id: &str) -> Value {
    let payment = json!({
        "id": null,
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": invoice["amount_due"],
        "created": state.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": true,
        "livemode": false,
        "payment": {"type": "payment_intent", "payment_intent": intent_id},
        "status": "open",
        "status_transitions": {"canceled_at": null, "paid_at": null},
    });
    state.create(Kind::InvoicePayment, payment, Value::Null)
}

/// Marks the payment of an invoice as paid and says so.
pub(crate) fn mark_paid(state: &mut State, invoice_id: &str) {
    let now = state.now();
    for id in ids_of_invoice(state, invoice_id) {
        let payment = state.change(Kind::InvoicePayment, &id, None, |payment| {
            payment["status"] = json!("paid");
            payment["amount_paid"] = payment["amount_requested"].clone();
            payment["status_transitions"]["paid_at"] = json!(now);
        });
        state.emit("invoice_payment.paid", &payment);
    }
}

pub(crate) fn cancel(state: &mut State, invoice_id: &str) {
    let now = state.now();
    for id in ids_of_invoice(state, invoice_id) {
        state.change(Kind::InvoicePayment, &id, None, |payment| {
            payment["status"] = json!("canceled");
            payment["status_transitions"]["canceled_at"] = json!(now);
        });
    }
}

fn ids_of_invoice(state: &State, invoice_id: &str) -> Vec<String> {
    state
        .store
        .by_index(Kind::InvoicePayment, "/invoice", invoice_id)
        .into_iter()
        .flatten()
        .map(|(_, record)| id_of(&record.object).to_owned())
        .collect()
}

/// The payment intent of an invoice.
pub(crate) fn intent_of_invoice(state: &State, invoice_id: &str) -> Option<String> {
    let payments = state.store.by_index(Kind::InvoicePayment, "/invoice", invoice_id)?;
    let (_, record) = payments.last()?;
    record.object["payment"]["payment_intent"].as_str().map(str::to_owned)
}

/// `invoice.payments`, which is shown only where it is expanded.
pub(crate) fn of_invoice(state: &State, invoice_id: &str) -> Value {
    let payments = state
        .store
        .by_index(Kind::InvoicePayment, "/invoice", invoice_id)
        .unwrap_or_default();
    let payments = payments
        .into_iter()
        .rev()
        .map(|(_, record)| record.object.clone())
        .collect();
    shape(&format!("/v1/invoice_payments?invoice={invoice_id}"), payments, false)
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::InvoicePayment, call.id())
}

pub(crate) fn list_payments(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![
        Filter::created(params),
        Filter::param(params, "invoice", "/invoice"),
        Filter::param(params, "status", "/status"),
    ];
    if let Some(payment) = params.get("payment") {
        let kind = payment["type"].as_str().unwrap_or_default();
        let Some(id) = payment[kind].as_str() else {
            return Err(ApiError::missing_parameter(&format!("payment[{kind}]")));
        };
        // No payment was recorded elsewhere, so that no invoice payment has a record.
        filters.push(match kind {
            "payment_intent" => Filter::Equals("/payment/payment_intent", json!(id)),
            _ => Filter::Equals("/payment/payment_record", json!(id)),
        });
    }
    list(state, Kind::InvoicePayment, params, &filters)
}
