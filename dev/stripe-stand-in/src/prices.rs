//! Prices. Amounts are immutable; a lookup key belongs to one active price and can be taken over.

use serde_json::{Map, Value, json};

use crate::errors::ApiError;
use crate::lists::{Filter, list};
use crate::params::{Params, merge_metadata};
use crate::products;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const CREATE: &str = "*currency, active:bool, billing_scheme:per_unit|tiered, lookup_key, metadata:map, nickname, \
    product, product_data{*name, id, active:bool, metadata:map, statement_descriptor, tax_code, unit_label}, \
    recurring{*interval:day|week|month|year, interval_count:int, usage_type:licensed|metered, meter}, \
    tax_behavior:exclusive|inclusive|unspecified, transfer_lookup_key:bool, unit_amount:int, unit_amount_decimal, \
    !currency_options, !custom_unit_amount, !tiers, !tiers_mode, !transform_quantity, expand[]";

pub(crate) const UPDATE: &str = "active:bool, lookup_key, metadata:map, nickname, \
    tax_behavior:exclusive|inclusive|unspecified, transfer_lookup_key:bool, !currency_options, expand[]";

pub(crate) const LIST: &str = "active:bool, created:range, currency, lookup_keys[], product, \
    recurring{interval:day|week|month|year, usage_type:licensed|metered, meter}, type:one_time|recurring, limit:int, \
    starting_after, ending_before, expand[]";

const MAX_LOOKUP_KEYS: usize = 10;

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let product = match (params.text("product"), params.get("product_data")) {
        (Some(product), None) => id_of(&state.get_for_param(Kind::Product, product, "product")?).to_owned(),
        (None, Some(Value::Object(data))) => new_product(state, data),
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: product, product_data.",
            ));
        }
        _ => {
            return Err(ApiError::invalid_code(
                "parameter_missing",
                "You must specify either `product` or `product_data` when creating a price.",
            )
            .with_param("product"));
        }
    };
    let price = build(state, params, &product)?;
    if let Some(key) = params.text("lookup_key") {
        claim_lookup_key(state, key, None, params.boolean("transfer_lookup_key"))?;
    }
    let price = state.create(Kind::Price, price, Value::Null);
    state.emit("price.created", &price);
    Ok(price)
}

fn new_product(state: &mut State, data: &Map<String, Value>) -> String {
    let product = products::create_from(state, &Params(data.clone()));
    state.emit("product.created", &product);
    id_of(&product).to_owned()
}

/// A price from `price_data` inside another call.
pub(crate) fn create_inline(state: &mut State, data: &Value, product: &str, path: &str) -> Result<Value, ApiError> {
    let Value::Object(data) = data else {
        return Err(ApiError::invalid("Invalid object").with_param(path));
    };
    let price = build(state, &Params(data.clone()), product)?;
    let price = state.create(Kind::Price, price, Value::Null);
    state.emit("price.created", &price);
    Ok(price)
}

/// A price of a checkout line that names no price. Stripe keeps such prices inactive.
pub(crate) fn create_for_line(state: &mut State, data: &Value, path: &str) -> Result<Value, ApiError> {
    let product = match (data["product"].as_str(), &data["product_data"]) {
        (Some(product), _) => {
            id_of(&state.get_for_param(Kind::Product, product, &format!("{path}[product]"))?).to_owned()
        }
        (None, Value::Object(data)) => new_product(state, data),
        _ => return Err(ApiError::missing_parameter(&format!("{path}[product]"))),
    };
    let price = create_inline(state, data, &product, path)?;
    Ok(state.change(Kind::Price, id_of(&price), None, |price| price["active"] = json!(false)))
}

fn build(state: &State, params: &Params, product: &str) -> Result<Value, ApiError> {
    if params.text("billing_scheme") == Some("tiered") {
        return Err(ApiError::not_simulated("billing_scheme"));
    }
    let (amount, decimal) = amount(params)?;
    let currency = params.text("currency").unwrap_or_default();
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Err(ApiError::invalid(format!("Invalid currency: {currency}.")).with_param("currency"));
    }
    let recurring = params.get("recurring").map_or(Value::Null, |recurring| {
        json!({
            "interval": recurring["interval"],
            "interval_count": recurring["interval_count"].as_i64().unwrap_or(1),
            "meter": recurring["meter"],
            "usage_type": recurring["usage_type"].as_str().unwrap_or("licensed"),
        })
    });
    Ok(json!({
        "id": null,
        "object": "price",
        "active": params.boolean("active").unwrap_or(true),
        "billing_scheme": "per_unit",
        "created": state.now(),
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": params.value("lookup_key"),
        "metadata": params.metadata(),
        "nickname": params.value("nickname"),
        "product": product,
        "tax_behavior": params.text("tax_behavior").unwrap_or("unspecified"),
        "tiers_mode": null,
        "transform_quantity": null,
        "type": if recurring.is_null() { "one_time" } else { "recurring" },
        "recurring": recurring,
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }))
}

fn amount(params: &Params) -> Result<(Value, Value), ApiError> {
    match (params.integer("unit_amount"), params.text("unit_amount_decimal")) {
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
        )),
        (Some(amount), None) if amount < 0 => Err(ApiError::invalid_code(
            "parameter_invalid_integer",
            "This value must be greater than or equal to 0.",
        )
        .with_param("unit_amount")),
        (Some(amount), None) => Ok((json!(amount), json!(amount.to_string()))),
        (None, Some(decimal)) => match decimal.parse::<i64>() {
            Ok(whole) => Ok((json!(whole), json!(decimal))),
            Err(_) => Err(ApiError::not_simulated("unit_amount_decimal with fractions")),
        },
        (None, None) => Err(ApiError::invalid_code(
            "parameter_missing",
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
        )
        .with_param("unit_amount")),
    }
}

/// Frees a lookup key for its next price, or refuses where another price has it and it is not to be transferred.
fn claim_lookup_key(state: &mut State, key: &str, price: Option<&str>, transfer: Option<bool>) -> Result<(), ApiError> {
    let holders: Vec<String> = state
        .store
        .by_index(Kind::Price, "/lookup_key", key)
        .into_iter()
        .flatten()
        .map(|(_, record)| id_of(&record.object).to_owned())
        .filter(|holder| Some(holder.as_str()) != price)
        .collect();
    if let Some(holder) = holders.first()
        && transfer != Some(true)
    {
        return Err(ApiError::invalid(format!(
            "A price (`{holder}`) already uses that lookup key. Set `transfer_lookup_key` to transfer it."
        ))
        .with_param("lookup_key"));
    }
    for holder in holders {
        state.change(Kind::Price, &holder, Some("price.updated"), |price| {
            price["lookup_key"] = Value::Null
        });
    }
    Ok(())
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Price, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let price = state.get(Kind::Price, call.id())?;
    if let Some(behavior) = params.text("tax_behavior")
        && price["tax_behavior"] != "unspecified"
        && price["tax_behavior"] != behavior
    {
        return Err(
            ApiError::invalid("Once tax_behavior is set to exclusive or inclusive, it cannot be changed.")
                .with_param("tax_behavior"),
        );
    }
    if let Some(key) = params.text("lookup_key") {
        claim_lookup_key(state, key, Some(call.id()), params.boolean("transfer_lookup_key"))?;
    }
    Ok(state.change(Kind::Price, call.id(), Some("price.updated"), |price| {
        params.copy_onto(price, &["active", "lookup_key", "nickname", "tax_behavior"]);
        merge_metadata(&mut price["metadata"], params.get("metadata"));
    }))
}

pub(crate) fn list_prices(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![
        Filter::created(params),
        Filter::param(params, "active", "/active"),
        Filter::param(params, "currency", "/currency"),
        Filter::param(params, "product", "/product"),
        Filter::param(params, "type", "/type"),
    ];
    if params.get("lookup_keys").is_some() {
        let keys = params.list("lookup_keys");
        if keys.len() > MAX_LOOKUP_KEYS {
            return Err(
                ApiError::invalid(format!("You may only specify up to {MAX_LOOKUP_KEYS} lookup keys."))
                    .with_param("lookup_keys"),
            );
        }
        filters.push(Filter::OneOf("/lookup_key", keys.to_vec()));
    }
    if let Some(Value::Object(recurring)) = params.get("recurring") {
        for (name, pointer) in [
            ("interval", "/recurring/interval"),
            ("usage_type", "/recurring/usage_type"),
            ("meter", "/recurring/meter"),
        ] {
            if let Some(value) = recurring.get(name) {
                filters.push(Filter::Equals(pointer, value.clone()));
            }
        }
    }
    list(state, Kind::Price, params, &filters)
}
