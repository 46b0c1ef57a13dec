//! Payment intents: an amount to collect, and each attempt to do so.
//!
//! The payment intent of an invoice names neither the invoice nor anybody's metadata: `invoice_payments` lead there.

use serde_json::{Value, json};

use crate::cards::Behavior;
use crate::charges::{self, Attempt};
use crate::errors::ApiError;
use crate::ids::{new_id, random_text};
use crate::lists::{Filter, list};
use crate::payment_methods;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const LIST: &str =
    "created:range, customer, limit:int, starting_after, ending_before, expand[], !customer_account";
pub(crate) const RETRIEVE: &str = "expand[], client_secret";

/// What a new payment intent is for.
pub(crate) struct NewIntent<'a> {
    pub(crate) amount: i64,
    pub(crate) currency: &'a Value,
    pub(crate) customer: Value,
    pub(crate) description: Value,
    pub(crate) metadata: Value,
    pub(crate) receipt_email: Value,
    pub(crate) setup_future_usage: Value,
    pub(crate) method_types: Value,
}

pub(crate) fn create(state: &mut State, new: NewIntent<'_>) -> Value {
    let id = new_id(Kind::PaymentIntent.prefix());
    let intent = json!({
        "id": id,
        "object": "payment_intent",
        "amount": new.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic",
        "client_secret": format!("{id}_secret_{}", random_text(25)),
        "confirmation_method": "automatic",
        "created": state.now(),
        "currency": new.currency,
        "customer": new.customer,
        "description": new.description,
        "excluded_payment_method_types": null,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": new.metadata,
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
        "payment_method_types": new.method_types,
        "processing": null,
        "receipt_email": new.receipt_email,
        "review": null,
        "setup_future_usage": new.setup_future_usage,
        "shipping": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": "requires_payment_method",
        "transfer_data": null,
        "transfer_group": null,
    });
    let intent = state.create(Kind::PaymentIntent, intent, Value::Null);
    state.emit("payment_intent.created", &intent);
    intent
}

/// Whether the payer is there to answer the bank's questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// On the payment page, not yet asked.
    Present,
    /// On the payment page, and confirmed to the bank.
    Confirmed,
    /// On the payment page, and failed or refused to confirm.
    Refused,
    /// Away: a renewal.
    Away,
}

/// How an attempt to collect ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Declined(ApiError),
    AsksPayer,
    /// A bank debit is under way; it settles in so many seconds.
    Processing {
        secs: i64,
    },
}

/// Tries to collect a payment intent with a payment method.
pub(crate) fn attempt(state: &mut State, intent_id: &str, method_id: &str, presence: Presence) -> Outcome {
    let Some(method) = state.store.object(Kind::PaymentMethod, method_id).cloned() else {
        return Outcome::Declined(ApiError::no_such_param("PaymentMethod", method_id, "payment_method"));
    };
    let behavior = payment_methods::behavior(state, method_id);
    let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
        intent["payment_method"] = method["id"].clone();
        intent["last_payment_error"] = Value::Null;
        intent["next_action"] = Value::Null;
    });
    if let Some(error) = refusal(behavior, presence) {
        let with_charge = presence != Presence::Refused;
        return decline(state, &intent, &method, error, with_charge);
    }
    if behavior.asks_payer() && presence == Presence::Present {
        let url = format!("{}/c/authenticate/{intent_id}", state.public_url);
        let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
            intent["status"] = json!("requires_action");
            intent["next_action"] =
                json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": null, "url": url}});
        });
        state.emit("payment_intent.requires_action", &intent);
        return Outcome::AsksPayer;
    }
    if let Some((secs, _)) = behavior.settlement() {
        let charge = charges::record(state, &intent, &method, &Attempt::Pending);
        let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
            intent["status"] = json!("processing");
            intent["latest_charge"] = charge["id"].clone();
        });
        state.emit("payment_intent.processing", &intent);
        return Outcome::Processing { secs };
    }
    let charge = charges::record(state, &intent, &method, &Attempt::Succeeded);
    succeed(state, intent_id, &charge["id"]);
    Outcome::Succeeded
}

fn refusal(behavior: Behavior, presence: Presence) -> Option<ApiError> {
    match (behavior.refusal(), presence) {
        (Some(error), _) => Some(error),
        (None, Presence::Refused) => Some(ApiError::card_declined(
            "payment_intent_authentication_failure",
            None,
            "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        )),
        (None, Presence::Away) if behavior == Behavior::AuthenticatesAlways => Some(ApiError::card_declined(
            "authentication_required",
            Some("authentication_required"),
            "Your card was declined. This transaction requires authentication.",
        )),
        (None, _) => None,
    }
}

fn decline(state: &mut State, intent: &Value, method: &Value, error: ApiError, with_charge: bool) -> Outcome {
    let mut reason = error.body();
    reason["payment_method"] = method.clone();
    let charge = with_charge.then(|| charges::record(state, intent, method, &Attempt::Failed(&error)));
    let intent = state.change(Kind::PaymentIntent, id_of(intent), None, |intent| {
        if let Some(charge) = &charge {
            reason["charge"] = charge["id"].clone();
            intent["latest_charge"] = charge["id"].clone();
        }
        intent["status"] = json!("requires_payment_method");
        intent["payment_method"] = Value::Null;
        intent["last_payment_error"] = reason;
    });
    state.emit("payment_intent.payment_failed", &intent);
    Outcome::Declined(error)
}

fn succeed(state: &mut State, intent_id: &str, charge: &Value) {
    let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
        intent["status"] = json!("succeeded");
        intent["amount_received"] = intent["amount"].clone();
        intent["latest_charge"] = charge.clone();
    });
    state.emit("payment_intent.succeeded", &intent);
}

/// The end of a bank debit: `refusal` where the bank said no. Only a payment that is under way settles.
pub(crate) fn settle(state: &mut State, intent_id: &str, refusal: Option<&ApiError>) -> bool {
    let Some(intent) = state.store.object(Kind::PaymentIntent, intent_id).cloned() else {
        return false;
    };
    if intent["status"] != "processing" {
        return false;
    }
    if let Some(charge) = intent["latest_charge"].as_str() {
        charges::settle(state, charge, refusal);
    }
    match refusal {
        None => succeed(state, intent_id, &intent["latest_charge"]),
        Some(error) => {
            let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
                intent["status"] = json!("requires_payment_method");
                intent["payment_method"] = Value::Null;
                intent["last_payment_error"] = error.body();
            });
            state.emit("payment_intent.payment_failed", &intent);
        }
    }
    true
}

/// Gives up a payment intent that was not collected.
pub(crate) fn cancel(state: &mut State, intent_id: &str, reason: &str) {
    let Some(status) = state
        .store
        .object(Kind::PaymentIntent, intent_id)
        .map(|intent| intent["status"].clone())
    else {
        return;
    };
    if status == "succeeded" || status == "canceled" {
        return;
    }
    let now = state.now();
    let intent = state.change(Kind::PaymentIntent, intent_id, None, |intent| {
        intent["status"] = json!("canceled");
        intent["canceled_at"] = json!(now);
        intent["cancellation_reason"] = json!(reason);
        intent["next_action"] = Value::Null;
    });
    state.emit("payment_intent.canceled", &intent);
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::PaymentIntent, call.id())
}

pub(crate) fn list_intents(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let filters = [
        Filter::created(&call.params),
        Filter::param(&call.params, "customer", "/customer"),
    ];
    list(state, Kind::PaymentIntent, &call.params, &filters)
}
