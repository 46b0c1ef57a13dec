//! Customers.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::ids::random_text;
use crate::lists::{Filter, list};
use crate::params::merge_metadata;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::subscriptions;

/// The fields that a caller may set freely.
const PLAIN_FIELDS: &[&str] = &[
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "shipping",
];

const ADDRESS: &str = "{city, country, line1, line2, postal_code, state}";

const BOTH: &str = "balance:int, business_name, description, email, individual_name, \
    invoice_settings{default_payment_method, footer, !custom_fields, !rendering_options}, metadata:map, name, phone, \
    preferred_locales[], tax_exempt:none|exempt|reverse, invoice_prefix, next_invoice_sequence:int, !cash_balance, \
    !source, !tax, expand[]";

fn parameters(more: &str) -> String {
    format!("address{ADDRESS}, shipping{{*name, phone, *address{ADDRESS}}}, {more}, {BOTH}")
}

pub(crate) fn create_parameters() -> String {
    parameters("payment_method, !tax_id_data, !test_clock")
}

pub(crate) fn update_parameters() -> String {
    parameters("!bank_account, !card, !default_alipay_account, !default_bank_account, !default_card, !default_source")
}

pub(crate) const LIST_METHODS: &str = "type:card|sepa_debit, limit:int, starting_after, ending_before, expand[], \
    allow_redisplay:always|limited|unspecified";

pub(crate) const LIST: &str = "created:range, email, limit:int, starting_after, ending_before, expand[], !test_clock";

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut customer = blank(state);
    customer["metadata"] = params.metadata();
    apply(&mut customer, call);
    if let Some(payment_method) = params.text("payment_method") {
        state.get_for_param(Kind::PaymentMethod, payment_method, "payment_method")?;
    }
    let customer = state.create(Kind::Customer, customer, Value::Null);
    if let Some(payment_method) = params.text("payment_method") {
        crate::payment_methods::attach_to(state, payment_method, id_of(&customer));
    }
    state.emit("customer.created", &customer);
    Ok(customer)
}

/// The customer that hosted checkout makes for a payer who has none.
pub(crate) fn create_for_payer(state: &mut State, email: Option<&str>, name: Option<&str>) -> Value {
    let mut customer = blank(state);
    customer["email"] = json!(email);
    customer["name"] = json!(name);
    let customer = state.create(Kind::Customer, customer, Value::Null);
    state.emit("customer.created", &customer);
    customer
}

fn blank(state: &State) -> Value {
    json!({
        "id": null,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": state.now(),
        "currency": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "email": null,
        "invoice_prefix": random_text(8).to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": false,
        "metadata": {},
        "name": null,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}

fn apply(customer: &mut Value, call: &Call) {
    let params = &call.params;
    params.copy_onto(customer, PLAIN_FIELDS);
    params.copy_onto(
        customer,
        &[
            "balance",
            "preferred_locales",
            "invoice_prefix",
            "next_invoice_sequence",
        ],
    );
    if let Some(Value::Object(settings)) = params.get("invoice_settings") {
        for (name, value) in settings {
            customer["invoice_settings"][name] = value.clone();
        }
    }
    if let Some(tax_exempt) = params.text("tax_exempt") {
        customer["tax_exempt"] = json!(tax_exempt);
    }
    // An address is a whole: what was not given is null.
    for pointer in ["/address", "/shipping/address"] {
        if let Some(address @ Value::Object(_)) = customer.pointer_mut(pointer) {
            for part in ["city", "country", "line1", "line2", "postal_code", "state"] {
                if address.get(part).is_none() {
                    address[part] = Value::Null;
                }
            }
        }
    }
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Customer, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.id();
    let customer = state.get(Kind::Customer, id)?;
    if customer["deleted"] == json!(true) {
        return Err(ApiError::no_such(Kind::Customer.noun(), id));
    }
    let method = call
        .params
        .get("invoice_settings")
        .and_then(|settings| settings["default_payment_method"].as_str());
    if let Some(method) = method {
        let path = "invoice_settings[default_payment_method]";
        let found = state.get_for_param(Kind::PaymentMethod, method, path)?;
        if found["customer"] != json!(id) {
            return Err(ApiError::invalid_code(
                "resource_missing",
                format!("The customer does not have a payment method with the ID {method}. The payment method must be attached to the customer."),
            )
            .with_param(path));
        }
    }
    Ok(state.change(Kind::Customer, id, Some("customer.updated"), |customer| {
        apply(customer, call);
        merge_metadata(&mut customer["metadata"], call.params.get("metadata"));
    }))
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.id();
    let customer = state.get(Kind::Customer, id)?;
    let tombstone = json!({"id": id, "object": "customer", "deleted": true});
    if customer["deleted"] == json!(true) {
        return Err(ApiError::no_such(Kind::Customer.noun(), id));
    }
    subscriptions::cancel_all_of_customer(state, id);
    let customer = state.get(Kind::Customer, id)?;
    state.change(Kind::Customer, id, None, |object| *object = tombstone.clone());
    state.emit("customer.deleted", &customer);
    Ok(tombstone)
}

pub(crate) fn list_customers(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let filters = [
        Filter::created(&call.params),
        Filter::param(&call.params, "email", "/email"),
    ];
    list(state, Kind::Customer, &call.params, &filters)
}

pub(crate) fn list_payment_methods(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Customer, call.id())?;
    let filters = [
        Filter::Equals("/customer", json!(call.id())),
        Filter::param(&call.params, "type", "/type"),
    ];
    list(state, Kind::PaymentMethod, &call.params, &filters)
}
