//! Payment methods: cards and bank accounts that payers typed, attached to customers.

use serde_json::{Value, json};

use crate::cards::{Behavior, Card};
use crate::errors::ApiError;
use crate::ids::random_text;
use crate::lists::{Filter, list};
use crate::params::merge_metadata;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const LIST: &str = "customer, type:card|sepa_debit, limit:int, starting_after, ending_before, expand[], \
    allow_redisplay:always|limited|unspecified, !customer_account";
pub(crate) const UPDATE: &str =
    "metadata:map, expand[], !allow_redisplay, !billing_details, !card, !payto, !us_bank_account";
pub(crate) const ATTACH: &str = "*customer, expand[], !customer_account";

/// Who pays, as typed on the payment page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payer {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}

pub(crate) fn billing_details(payer: &Payer) -> Value {
    json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
        },
        "email": payer.email,
        "name": payer.name,
        "phone": null,
        "tax_id": null,
    })
}

pub(crate) fn create_card(state: &mut State, card: &Card, payer: &Payer) -> Value {
    let details = json!({
        "brand": card.brand,
        "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": random_text(16),
        "funding": "credit",
        "generated_from": null,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": null},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": true},
        "wallet": null,
    });
    create(state, "card", details, payer, card.behavior)
}

pub(crate) fn create_sepa_debit(state: &mut State, last4: &str, payer: &Payer, behavior: Behavior) -> Value {
    let details = json!({
        "bank_code": "19043",
        "branch_code": "",
        "country": "AT",
        "fingerprint": random_text(16),
        "generated_from": {"charge": null, "setup_attempt": null},
        "last4": last4,
    });
    create(state, "sepa_debit", details, payer, behavior)
}

fn create(state: &mut State, method_type: &str, details: Value, payer: &Payer, behavior: Behavior) -> Value {
    let mut method = json!({
        "id": null,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(payer),
        "created": state.now(),
        "customer": null,
        "livemode": false,
        "metadata": {},
        "type": method_type,
    });
    method[method_type] = details;
    state.create(Kind::PaymentMethod, method, json!({"behavior": behavior}))
}

/// What a payment method does when it is charged.
pub(crate) fn behavior(state: &State, id: &str) -> Behavior {
    serde_json::from_value(state.hidden(Kind::PaymentMethod, id, "behavior")).unwrap_or(Behavior::Succeeds)
}

pub(crate) fn attach_to(state: &mut State, id: &str, customer: &str) -> Value {
    let method = state.change(Kind::PaymentMethod, id, None, |method| {
        method["customer"] = json!(customer)
    });
    state.emit("payment_method.attached", &method);
    method
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::PaymentMethod, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::PaymentMethod, call.id())?;
    Ok(state.change(
        Kind::PaymentMethod,
        call.id(),
        Some("payment_method.updated"),
        |method| {
            merge_metadata(&mut method["metadata"], call.params.get("metadata"));
        },
    ))
}

pub(crate) fn attach(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let customer = call.params.text("customer").unwrap_or_default();
    state.get_for_param(Kind::Customer, customer, "customer")?;
    let method = state.get(Kind::PaymentMethod, call.id())?;
    if !method["customer"].is_null() && method["customer"] != json!(customer) {
        return Err(ApiError::invalid(
            "The payment method you provided has already been attached to a customer.",
        ));
    }
    Ok(attach_to(state, id_of(&method), customer))
}

pub(crate) fn detach(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let method = state.get(Kind::PaymentMethod, call.id())?;
    if method["customer"].is_null() {
        return Err(ApiError::invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        ));
    }
    Ok(state.change(
        Kind::PaymentMethod,
        call.id(),
        Some("payment_method.detached"),
        |method| {
            method["customer"] = Value::Null;
        },
    ))
}

pub(crate) fn list_methods(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let filters = [
        Filter::param(params, "customer", "/customer"),
        Filter::param(params, "type", "/type"),
    ];
    list(state, Kind::PaymentMethod, params, &filters)
}
