//! Refunds: money that goes back to whoever paid. A card's goes back at once.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::ids::new_id;
use crate::lists::{Filter, list};
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const CREATE: &str = "payment_intent, charge, amount:int, reason, metadata:map, !customer, \
    !currency, !origin, !instructions_email, !refund_application_fee, !reverse_transfer, expand[]";
pub(crate) const LIST: &str =
    "created:range, payment_intent, charge, limit:int, starting_after, ending_before, expand[]";

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let charge = charge_to_refund(state, call)?;
    let charge_id = id_of(&charge).to_owned();
    if charge["refunded"] == true {
        return Err(ApiError::invalid_code(
            "charge_already_refunded",
            format!("Charge {charge_id} has already been refunded."),
        ));
    }
    let left = amount(&charge, "amount_captured") - amount(&charge, "amount_refunded");
    let wanted = params.integer("amount").unwrap_or(left);
    if !(1..=left).contains(&wanted) {
        return Err(ApiError::invalid(format!(
            "Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
        ))
        .with_param("amount"));
    }
    let refund = json!({
        "id": new_id(Kind::Refund.prefix()),
        "object": "refund",
        "amount": wanted,
        "balance_transaction": new_id("txn"),
        "charge": charge_id,
        "created": state.now(),
        "currency": charge["currency"],
        "destination_details": {"card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}, "type": "card"},
        "metadata": params.metadata(),
        "payment_intent": charge["payment_intent"],
        "reason": params.value("reason"),
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    });
    let refund = state.create(Kind::Refund, refund, Value::Null);
    state.emit("refund.created", &refund);
    let charge = state.change(Kind::Charge, &charge_id, None, |charge| {
        let refunded = amount(charge, "amount_refunded") + wanted;
        charge["amount_refunded"] = json!(refunded);
        charge["refunded"] = json!(refunded == amount(charge, "amount_captured"));
    });
    state.emit("charge.refunded", &charge);
    Ok(refund)
}

fn charge_to_refund(state: &State, call: &Call) -> Result<Value, ApiError> {
    let id = match (call.params.text("payment_intent"), call.params.text("charge")) {
        (Some(intent), None) => {
            let intent = state.get_for_param(Kind::PaymentIntent, intent, "payment_intent")?;
            match intent["latest_charge"].as_str() {
                Some(charge) if intent["status"] == "succeeded" => charge.to_owned(),
                _ => {
                    return Err(ApiError::invalid(format!(
                        "This PaymentIntent ({}) does not have a successful charge to refund.",
                        id_of(&intent)
                    )));
                }
            }
        }
        (None, Some(charge)) => charge.to_owned(),
        _ => {
            return Err(ApiError::invalid(
                "You must provide one of these parameters: payment_intent, charge.",
            ));
        }
    };
    state.get_for_param(Kind::Charge, &id, "charge")
}

fn amount(charge: &Value, member: &str) -> i64 {
    charge[member].as_i64().unwrap_or_default()
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Refund, call.id())
}

pub(crate) fn list_refunds(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let filters = [
        Filter::created(params),
        Filter::param(params, "payment_intent", "/payment_intent"),
        Filter::param(params, "charge", "/charge"),
    ];
    list(state, Kind::Refund, params, &filters)
}
