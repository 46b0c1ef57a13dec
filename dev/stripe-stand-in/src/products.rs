//! Products.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::lists::{Filter, list};
use crate::params::{Params, merge_metadata};
use crate::prices;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

const FIELDS: &[&str] = &[
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
];

pub(crate) const CREATE: &str = "*name, id, active:bool, description, images[], marketing_features[]{*name}, metadata:map, \
    default_price_data{*currency, unit_amount:int, recurring{*interval:day|week|month|year, interval_count:int}, \
    tax_behavior:exclusive|inclusive|unspecified, metadata:map, unit_amount_decimal, !currency_options, \
    !custom_unit_amount}, shippable:bool, statement_descriptor, tax_code, \
    unit_label, url, !package_dimensions, expand[]";

pub(crate) const UPDATE: &str = "name, active:bool, default_price, description, images[], marketing_features[]{*name}, \
    metadata:map, shippable:bool, statement_descriptor, tax_code, unit_label, url, !package_dimensions, expand[]";

pub(crate) const LIST: &str =
    "active:bool, created:range, ids[], shippable:bool, url, limit:int, starting_after, ending_before, expand[]";

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    if let Some(id) = params.text("id")
        && state.store.object(Kind::Product, id).is_some()
    {
        return Err(ApiError::invalid_code("resource_already_exists", "Product already exists.").with_param("id"));
    }
    let product = create_from(state, params);
    state.emit("product.created", &product);
    let Some(price_data) = params.get("default_price_data") else {
        return Ok(product);
    };
    let price = prices::create_inline(state, price_data, id_of(&product), "default_price_data")?;
    Ok(
        state.change(Kind::Product, id_of(&product), Some("product.updated"), |product| {
            product["default_price"] = price["id"].clone();
        }),
    )
}

/// Stores a product from the parameters of a call or from inline `product_data`. The caller emits the event.
pub(crate) fn create_from(state: &mut State, params: &Params) -> Value {
    let now = state.now();
    let mut product = json!({
        "id": params.value("id"),
        "object": "product",
        "active": true,
        "created": now,
        "default_price": null,
        "description": null,
        "images": [],
        "livemode": false,
        "marketing_features": [],
        "metadata": params.metadata(),
        "name": null,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "unit_label": null,
        "updated": now,
        "url": null,
    });
    params.copy_onto(&mut product, FIELDS);
    state.create(Kind::Product, product, Value::Null)
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Product, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    state.get(Kind::Product, call.id())?;
    if let Some(price) = params.text("default_price") {
        let price = state.get_for_param(Kind::Price, price, "default_price")?;
        if price["product"] != json!(call.id()) {
            return Err(
                ApiError::invalid("The price specified must belong to the product.").with_param("default_price")
            );
        }
    }
    let now = state.now();
    Ok(
        state.change(Kind::Product, call.id(), Some("product.updated"), |product| {
            let before = product.clone();
            params.copy_onto(product, FIELDS);
            params.copy_onto(product, &["default_price"]);
            merge_metadata(&mut product["metadata"], params.get("metadata"));
            if *product != before {
                product["updated"] = json!(now);
            }
        }),
    )
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.id();
    let product = state.get(Kind::Product, id)?;
    let has_prices = state
        .store
        .by_index(Kind::Price, "/product", id)
        .is_some_and(|prices| !prices.is_empty());
    if has_prices {
        return Err(ApiError::invalid(
            "This product cannot be deleted because it has one or more user-created prices.",
        ));
    }
    state.store.remove(Kind::Product, id);
    state.revision += 1;
    state.emit("product.deleted", &product);
    Ok(json!({"id": id, "object": "product", "deleted": true}))
}

pub(crate) fn list_products(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![
        Filter::created(params),
        Filter::param(params, "active", "/active"),
        Filter::param(params, "shippable", "/shippable"),
        Filter::param(params, "url", "/url"),
    ];
    if params.get("ids").is_some() {
        filters.push(Filter::OneOf("/id", params.list("ids").to_vec()));
    }
    list(state, Kind::Product, params, &filters)
}
