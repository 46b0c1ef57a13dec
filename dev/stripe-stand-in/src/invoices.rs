//! Invoices of subscriptions: made as drafts, finalized, collected.

use serde_json::{Value, json};

use crate::agenda::Task;
use crate::billing_cycle;
use crate::clock::Timestamp;
use crate::errors::ApiError;
use crate::ids::{new_id, random_text};
use crate::invoice_payments;
use crate::lists::{Filter, list, page_of, shape};
use crate::params::merge_metadata;
use crate::payment_intents::{self, NewIntent, Outcome, Presence};
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const LIST: &str = "collection_method:charge_automatically|send_invoice, created:range, customer, \
    status:draft|open|paid|uncollectible|void, subscription, limit:int, starting_after, ending_before, expand[], \
    !customer_account, !due_date";
pub(crate) const PAY: &str =
    "payment_method, off_session:bool, paid_out_of_band:bool, expand[], !forgive, !mandate, !source";
pub(crate) const UPDATE: &str = "metadata:map, description, footer, auto_advance:bool, expand[], !account_tax_ids, \
    !application_fee_amount, !automatic_tax, !automatically_finalizes_at, !collection_method, !custom_fields, \
    !days_until_due, !default_payment_method, !default_source, !default_tax_rates, !discounts, !due_date, \
    !effective_at, !issuer, !number, !on_behalf_of, !payment_settings, !rendering, !shipping_cost, \
    !shipping_details, !statement_descriptor, !transfer_data";

/// What an invoice of a subscription charges for.
pub(crate) struct NewInvoice {
    pub(crate) reason: &'static str,
    pub(crate) period: (Timestamp, Timestamp),
    pub(crate) lines: Vec<NewLine>,
}

pub(crate) struct NewLine {
    pub(crate) amount: i64,
    pub(crate) description: String,
    pub(crate) period: (Timestamp, Timestamp),
    pub(crate) item: Value,
    pub(crate) proration: bool,
}

/// Stores a draft and announces it.
pub(crate) fn create(state: &mut State, subscription: &Value, new: NewInvoice) -> Value {
    let id = new_id(Kind::Invoice.prefix());
    let customer_id = subscription["customer"].as_str().unwrap_or_default();
    let customer = state
        .store
        .object(Kind::Customer, customer_id)
        .cloned()
        .unwrap_or(Value::Null);
    let total: i64 = new.lines.iter().map(|line| line.amount).sum();
    let due = total.max(0);
    let lines: Vec<Value> = new
        .lines
        .iter()
        .map(|line| line_item(&id, subscription, line))
        .collect();
    let invoice = json!({
        "id": id,
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Stripe stand-in",
        "account_tax_ids": null,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "application": null,
        "attempt_count": 0,
        "attempted": false,
        "auto_advance": true,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null},
        "automatically_finalizes_at": null,
        "billing_reason": new.reason,
        "collection_method": "charge_automatically",
        "created": state.now(),
        "currency": subscription["currency"],
        "custom_fields": null,
        "customer": customer_id,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": null,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "due_date": null,
        "effective_at": null,
        "ending_balance": null,
        "footer": null,
        "from_invoice": null,
        "hosted_invoice_url": null,
        "invoice_pdf": null,
        "issuer": {"type": "self"},
        "last_finalization_error": null,
        "latest_revision": null,
        "lines": shape(&format!("/v1/invoices/{id}/lines"), lines, false),
        "livemode": false,
        "metadata": {},
        "next_payment_attempt": null,
        "number": null,
        "on_behalf_of": null,
        "parent": {
            "quote_details": null,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
            "type": "subscription_details",
        },
        "payment_settings": {"default_mandate": null, "payment_method_options": null, "payment_method_types": null},
        "period_end": new.period.1,
        "period_start": new.period.0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": null,
        "rendering": null,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": 0,
        "statement_descriptor": null,
        "status": "draft",
        "status_transitions": {"finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null},
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": null,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": null,
    });
    let invoice = state.create(Kind::Invoice, invoice, Value::Null);
    state.emit("invoice.created", &invoice);
    invoice
}

fn line_item(invoice_id: &str, subscription: &Value, line: &NewLine) -> Value {
    let price = &line.item["price"];
    json!({
        "id": new_id("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": subscription["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": !line.proration,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": false,
        "metadata": subscription["metadata"],
        "parent": {
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null,
                "proration": line.proration,
                "proration_details": {"credited_items": null},
                "subscription": subscription["id"],
                "subscription_item": line.item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"start": line.period.0, "end": line.period.1},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": line.item["quantity"],
        "subtotal": line.amount,
        "taxes": [],
    })
}

/// Makes a draft final. `intent_id` is the payment intent that pays it, where there already is one; else one is made.
pub(crate) fn finalize(state: &mut State, id: &str, intent_id: Option<&str>) -> Value {
    if intent_id.is_none() {
        apply_balance(state, id);
    }
    let (now, public_url) = (state.now(), state.public_url.clone());
    state.next_invoice_number += 1;
    let number = format!("STANDIN-{:04}", state.next_invoice_number);
    let invoice = state.change(Kind::Invoice, id, None, |invoice| {
        let page = format!("{public_url}/i/{}", random_text(24));
        invoice["status"] = json!("open");
        invoice["number"] = json!(number);
        invoice["effective_at"] = json!(now);
        invoice["automatically_finalizes_at"] = Value::Null;
        if invoice["ending_balance"].is_null() {
            invoice["ending_balance"] = invoice["starting_balance"].clone();
        }
        invoice["hosted_invoice_url"] = json!(page);
        invoice["status_transitions"]["finalized_at"] = json!(now);
        invoice["webhooks_delivered_at"] = json!(now);
    });
    if invoice["amount_due"].as_i64().unwrap_or(0) > 0 {
        let intent_id = intent_id.map_or_else(|| open_intent(state, &invoice), str::to_owned);
        invoice_payments::create(state, &invoice, &intent_id);
    }
    state.emit("invoice.finalized", &invoice);
    invoice
}

/// What a customer has in credit lowers what is due; what an invoice credits is kept for the next.
fn apply_balance(state: &mut State, id: &str) {
    let Some(invoice) = state.store.object(Kind::Invoice, id) else {
        return;
    };
    let customer = invoice["customer"].as_str().unwrap_or_default().to_owned();
    let total = invoice["total"].as_i64().unwrap_or(0);
    let balance = state
        .store
        .object(Kind::Customer, &customer)
        .and_then(|customer| customer["balance"].as_i64());
    let balance = balance.unwrap_or(0);
    let due = (total + balance).max(0);
    let left = total + balance - due;
    state.change(Kind::Invoice, id, None, |invoice| {
        invoice["starting_balance"] = json!(balance);
        invoice["ending_balance"] = json!(left);
        invoice["amount_due"] = json!(due);
        invoice["amount_remaining"] = json!(due);
    });
    state.change(Kind::Customer, &customer, Some("customer.updated"), |customer| {
        customer["balance"] = json!(left);
    });
}

fn open_intent(state: &mut State, invoice: &Value) -> String {
    let description = match invoice["billing_reason"].as_str() {
        Some("subscription_create") => "Subscription creation",
        _ => "Subscription update",
    };
    let intent = payment_intents::create(
        state,
        NewIntent {
            amount: invoice["amount_due"].as_i64().unwrap_or(0),
            currency: &invoice["currency"],
            customer: invoice["customer"].clone(),
            description: json!(description),
            metadata: json!({}),
            receipt_email: Value::Null,
            setup_future_usage: json!("off_session"),
            method_types: json!(["card", "sepa_debit"]),
        },
    );
    id_of(&intent).to_owned()
}

/// Marks an invoice as paid and tells everything that follows from it.
pub(crate) fn mark_paid(state: &mut State, id: &str) -> Value {
    let now = state.now();
    let invoice = state.change(Kind::Invoice, id, None, |invoice| {
        invoice["status"] = json!("paid");
        invoice["attempted"] = json!(true);
        invoice["auto_advance"] = json!(false);
        invoice["amount_paid"] = invoice["amount_due"].clone();
        invoice["amount_remaining"] = json!(0);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["paid_at"] = json!(now);
        if invoice["amount_due"] != json!(0) {
            invoice["attempt_count"] = json!(invoice["attempt_count"].as_i64().unwrap_or(0) + 1);
        }
    });
    invoice_payments::mark_paid(state, id);
    state.emit("invoice.paid", &invoice);
    state.emit("invoice.payment_succeeded", &invoice);
    invoice
}

/// Notes a failed attempt; `next_attempt` is when the next is made.
pub(crate) fn mark_failed(state: &mut State, id: &str, next_attempt: Option<Timestamp>) {
    let invoice = state.change(Kind::Invoice, id, None, |invoice| {
        invoice["attempted"] = json!(true);
        invoice["attempt_count"] = json!(invoice["attempt_count"].as_i64().unwrap_or(0) + 1);
        invoice["next_payment_attempt"] = json!(next_attempt);
    });
    state.emit("invoice.payment_failed", &invoice);
}

pub(crate) fn void(state: &mut State, id: &str) {
    let now = state.now();
    let invoice = state.change(Kind::Invoice, id, None, |invoice| {
        invoice["status"] = json!("void");
        invoice["auto_advance"] = json!(false);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["voided_at"] = json!(now);
    });
    if let Some(intent) = invoice_payments::intent_of_invoice(state, id) {
        payment_intents::cancel(state, &intent, "void_invoice");
    }
    invoice_payments::cancel(state, id);
    state.emit("invoice.voided", &invoice);
}

/// A draft's hour is over: it becomes final and is collected.
pub(crate) fn finalize_and_collect(state: &mut State, id: &str) {
    let draft = state
        .store
        .object(Kind::Invoice, id)
        .is_some_and(|invoice| invoice["status"] == "draft");
    if draft {
        finalize(state, id, None);
        billing_cycle::collect(state, id);
    }
}

/// Tries to collect an open invoice with a payment method.
pub(crate) fn attempt(state: &mut State, id: &str, method: Option<&str>, presence: Presence) -> Outcome {
    let Some(intent) = invoice_payments::intent_of_invoice(state, id) else {
        mark_paid(state, id);
        return Outcome::Succeeded;
    };
    let Some(method) = method else {
        return Outcome::Declined(
            ApiError::invalid_code(
                "invoice_payment_intent_requires_action",
                "There is no default payment method set on this Customer or Invoice. Please set a default payment method or provide one.",
            )
            .with_status(400),
        );
    };
    let outcome = payment_intents::attempt(state, &intent, method, presence);
    if let Outcome::Processing { secs } = outcome {
        state.agenda.add(state.now() + secs, Task::SettlePayment, &intent);
    }
    if matches!(outcome, Outcome::Succeeded) {
        mark_paid(state, id);
    }
    outcome
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Invoice, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Invoice, call.id())?;
    Ok(
        state.change(Kind::Invoice, call.id(), Some("invoice.updated"), |invoice| {
            call.params
                .copy_onto(invoice, &["description", "footer", "auto_advance"]);
            merge_metadata(&mut invoice["metadata"], call.params.get("metadata"));
        }),
    )
}

pub(crate) fn lines(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let invoice = state.get(Kind::Invoice, call.id())?;
    let lines = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
    page_of(&format!("/v1/invoices/{}/lines", call.id()), lines, &call.params)
}

pub(crate) fn pay(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.id();
    let invoice = state.get(Kind::Invoice, id)?;
    match invoice["status"].as_str() {
        Some("paid") => {
            return Err(ApiError::invalid_code(
                "invoice_already_paid",
                "Invoice is already paid",
            ));
        }
        Some("draft") => {
            finalize(state, id, None);
        }
        Some("open") => {}
        _ => {
            return Err(ApiError::invalid(format!(
                "This invoice can no longer be paid: it is {}",
                invoice["status"]
            )));
        }
    }
    if call.params.boolean("paid_out_of_band") == Some(true) {
        return Ok(billing_cycle::paid_by(state, id));
    }
    if let Some(method) = call.params.text("payment_method") {
        state.get_for_param(Kind::PaymentMethod, method, "payment_method")?;
    }
    billing_cycle::pay_now(state, id, call.params.text("payment_method"))?;
    state.get(Kind::Invoice, id)
}

pub(crate) fn void_call(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let invoice = state.get(Kind::Invoice, call.id())?;
    if invoice["status"] != "open" && invoice["status"] != "uncollectible" {
        return Err(ApiError::invalid(
            "You can only pass in open or uncollectible invoices to be voided.",
        ));
    }
    void(state, call.id());
    state.get(Kind::Invoice, call.id())
}

pub(crate) fn list_invoices(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let filters = [
        Filter::created(params),
        Filter::param(params, "subscription", "/parent/subscription_details/subscription"),
        Filter::param(params, "customer", "/customer"),
        Filter::param(params, "status", "/status"),
        Filter::param(params, "collection_method", "/collection_method"),
    ];
    list(state, Kind::Invoice, params, &filters)
}
