//! Charges: one for each attempt to collect a payment intent.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::ids::{new_id, random_text};
use crate::lists::{Filter, list};
use crate::routes::Call;
use crate::state::State;
use crate::store::Kind;

pub(crate) const LIST: &str =
    "created:range, customer, payment_intent, limit:int, starting_after, ending_before, expand[], !transfer_group";

/// How an attempt ended.
pub(crate) enum Attempt<'a> {
    Succeeded,
    Failed(&'a ApiError),
    /// The bank will tell later.
    Pending,
}

/// Stores the charge of an attempt and announces it.
pub(crate) fn record(state: &mut State, intent: &Value, method: &Value, attempt: &Attempt<'_>) -> Value {
    let (status, event_type) = match attempt {
        Attempt::Succeeded => ("succeeded", "charge.succeeded"),
        Attempt::Failed(_) => ("failed", "charge.failed"),
        Attempt::Pending => ("pending", "charge.pending"),
    };
    let mut charge = json!({
        "id": null,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": if status == "failed" { json!(0) } else { intent["amount"].clone() },
        "amount_refunded": 0,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": if status == "succeeded" { json!(new_id("txn")) } else { Value::Null },
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "STRIPE STAND-IN",
        "captured": status != "failed",
        "created": state.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "fraud_details": {},
        "livemode": false,
        "metadata": intent["metadata"],
        "on_behalf_of": null,
        "outcome": {
            "advice_code": null,
            "network_advice_code": null,
            "network_decline_code": null,
            "network_status": "approved_by_network",
            "reason": null,
            "risk_level": "normal",
            "risk_score": 1,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": status != "failed",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": method_details(method),
        "receipt_email": intent["receipt_email"],
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "review": null,
        "shipping": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": status,
        "transfer_data": null,
        "transfer_group": null,
    });
    if let Attempt::Failed(error) = attempt {
        mark_failed(&mut charge, error);
    }
    let charge = state.create(Kind::Charge, charge, Value::Null);
    state.emit(event_type, &charge);
    charge
}

fn mark_failed(charge: &mut Value, error: &ApiError) {
    let reason = error.body();
    charge["status"] = json!("failed");
    charge["paid"] = json!(false);
    charge["captured"] = json!(false);
    charge["amount_captured"] = json!(0);
    charge["failure_code"] = reason["code"].clone();
    charge["failure_message"] = reason["message"].clone();
    let outcome = &mut charge["outcome"];
    outcome["network_status"] = json!("declined_by_network");
    outcome["reason"] = reason["decline_code"].clone();
    outcome["seller_message"] = json!("The bank did not return any further details with this decline.");
    outcome["type"] = json!("issuer_declined");
}

/// The bank's late word on a pending charge.
pub(crate) fn settle(state: &mut State, charge_id: &str, refusal: Option<&ApiError>) {
    let charge = state.change(Kind::Charge, charge_id, None, |charge| match refusal {
        Some(error) => mark_failed(charge, error),
        None => {
            charge["status"] = json!("succeeded");
            charge["balance_transaction"] = json!(new_id("txn"));
        }
    });
    state.emit(
        if refusal.is_some() {
            "charge.failed"
        } else {
            "charge.succeeded"
        },
        &charge,
    );
}

fn method_details(method: &Value) -> Value {
    if method["type"] == "sepa_debit" {
        let account = &method["sepa_debit"];
        return json!({
            "type": "sepa_debit",
            "sepa_debit": {
                "bank_code": account["bank_code"],
                "branch_code": account["branch_code"],
                "country": account["country"],
                "fingerprint": account["fingerprint"],
                "last4": account["last4"],
                "mandate": format!("mandate_{}", random_text(24)),
            },
        });
    }
    let card = &method["card"];
    json!({
        "type": "card",
        "card": {
            "amount_authorized": null,
            "authorization_code": null,
            "brand": card["brand"],
            "checks": card["checks"],
            "country": card["country"],
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "fingerprint": card["fingerprint"],
            "funding": card["funding"],
            "installments": null,
            "last4": card["last4"],
            "mandate": null,
            "network": card["brand"],
            "network_token": {"used": false},
            "network_transaction_id": null,
            "regulated_status": "unregulated",
            "three_d_secure": null,
            "wallet": null,
        },
    })
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Charge, call.id())
}

pub(crate) fn list_charges(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let filters = [
        Filter::created(params),
        Filter::param(params, "customer", "/customer"),
        Filter::param(params, "payment_intent", "/payment_intent"),
    ];
    list(state, Kind::Charge, params, &filters)
}
