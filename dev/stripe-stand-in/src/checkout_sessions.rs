//! Checkout sessions: what is to be bought, and the address of the hosted page where it is paid.

use serde_json::{Map, Value, json};

use crate::agenda::Task;
use crate::errors::ApiError;
use crate::ids::new_id;
use crate::lists::{Filter, list, page_of, shape};
use crate::params::{Params, merge_metadata};
use crate::payment_intents;
use crate::prices;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};

pub(crate) const CREATE: &str = "allow_promotion_codes:bool, billing_address_collection:auto|required, cancel_url, \
    client_reference_id, currency, customer, customer_creation:always|if_required, customer_email, \
    customer_update{address:auto|never, name:auto|never, shipping:auto|never}, expires_at:int, \
    line_items[]{price, quantity:int, metadata:map, price_data{*currency, product, product_data{*name, description, \
    images[], metadata:map, tax_code, unit_label}, recurring{*interval:day|week|month|year, interval_count:int}, \
    tax_behavior:exclusive|inclusive|unspecified, unit_amount:int, unit_amount_decimal}, !adjustable_quantity, \
    !tax_rates}, locale, metadata:map, mode:payment|subscription|setup, \
    payment_intent_data{description, metadata:map, receipt_email, setup_future_usage:off_session|on_session, \
    statement_descriptor, statement_descriptor_suffix, !application_fee_amount, !capture_method, !on_behalf_of, \
    !shipping, !transfer_data, !transfer_group}, payment_method_collection:always|if_required, payment_method_types[], \
    subscription_data{description, metadata:map, trial_period_days:int, trial_end:int, \
    billing_mode{*type:flexible|classic, flexible:any}, proration_behavior:create_prorations|none, \
    trial_settings:any, !application_fee_percent, !billing_cycle_anchor, !billing_cycle_anchor_config, \
    !default_tax_rates, !invoice_settings, !on_behalf_of, !pending_invoice_item_interval, !transfer_data}, \
    submit_type:auto|book|donate|pay|subscribe, success_url, ui_mode:hosted_page|embedded_page|elements, \
    automatic_tax{enabled:bool, !liability}, phone_number_collection{enabled:bool}, tax_id_collection{enabled:bool, !required}, \
    !adaptive_pricing, !after_expiration, !branding_settings, !consent_collection, !custom_fields, !custom_text, \
    !customer_account, !discounts, !excluded_payment_method_types, !integration_identifier, !invoice_creation, \
    !managed_payments, !name_collection, !optional_items, !origin_context, !payment_method_configuration, \
    !payment_method_data, !payment_method_options, !permissions, !redirect_on_completion, !return_url, \
    !saved_payment_method_options, !setup_intent_data, !shipping_address_collection, !shipping_options, \
    !wallet_options, expand[]";
pub(crate) const UPDATE: &str = "metadata:map, expand[], !collected_information, !line_items, !shipping_options";
pub(crate) const LIST: &str = "created:range, customer, customer_details{*email}, payment_intent, \
    status:open|complete|expired, subscription, limit:int, starting_after, ending_before, expand[], !payment_link, \
    !customer_account";

const MIN_OPEN_SECS: i64 = 30 * 60;
const MAX_OPEN_SECS: i64 = 24 * 3_600;
/// `now + 30 minutes`, computed by a caller whose clock or request took a moment, is still meant as half an hour.
const TOLERANCE_SECS: i64 = 30;
const MAX_CLIENT_REFERENCE_LENGTH: usize = 200;

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mode = check(state, params)?;
    let now = state.now();
    let expires_at = expiry(params, now)?;
    let lines = build_lines(state, params, mode)?;
    let first = lines.first().ok_or_else(|| ApiError::missing_parameter("line_items"))?;
    let currency = first["price"]["currency"].clone();
    if lines.iter().any(|line| line["price"]["currency"] != currency) {
        return Err(
            ApiError::invalid("All prices on a Checkout Session must have the same currency.").with_param("line_items"),
        );
    }
    let subtotal: i64 = lines.iter().filter_map(|line| line["amount_subtotal"].as_i64()).sum();
    let trial = trial_end(params, now)?.is_some();
    let total = if trial { 0 } else { subtotal };
    let id = new_id(Kind::CheckoutSession.prefix());
    let customer = params.value("customer");
    let known = customer
        .as_str()
        .and_then(|id| state.store.object(Kind::Customer, id))
        .cloned();
    let email = known
        .as_ref()
        .map_or_else(|| params.value("customer_email"), |customer| customer["email"].clone());
    let creation = match (&customer, mode) {
        (Value::Null, "payment") => params
            .get("customer_creation")
            .cloned()
            .unwrap_or_else(|| json!("if_required")),
        (Value::Null, _) => json!("always"),
        _ => Value::Null,
    };
    let session = json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": null,
        "after_expiration": null,
        "allow_promotion_codes": params.value("allow_promotion_codes"),
        "amount_subtotal": subtotal,
        "amount_total": total,
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": params.value("billing_address_collection"),
        "cancel_url": params.value("cancel_url"),
        "client_reference_id": params.value("client_reference_id"),
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": now,
        "currency": currency,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer": customer,
        "customer_creation": creation,
        "customer_details": if email.is_null() { Value::Null } else { details(&email, &Value::Null) },
        "customer_email": params.value("customer_email"),
        "discounts": [],
        "expires_at": expires_at,
        "invoice": null,
        "invoice_creation": if mode == "payment" { no_invoice() } else { Value::Null },
        "livemode": false,
        "locale": params.value("locale"),
        "metadata": params.metadata(),
        "mode": mode,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": params.get("payment_method_collection").cloned().unwrap_or_else(|| {
            json!(if mode == "subscription" { "always" } else { "if_required" })
        }),
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": method_types(params),
        "payment_status": "unpaid",
        "permissions": null,
        "phone_number_collection": {"enabled": false},
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.value("submit_type"),
        "subscription": null,
        "success_url": params.value("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": format!("{}/c/pay/{id}", state.public_url),
        "wallet_options": null,
    });
    let hidden = json!({
        "line_items": lines,
        "subscription_data": params.value("subscription_data"),
        "payment_intent_data": params.value("payment_intent_data"),
        "trial_end": trial_end(params, now)?,
    });
    let session = state.create(Kind::CheckoutSession, session, hidden);
    state
        .agenda
        .add(expires_at, Task::ExpireCheckoutSession, id_of(&session));
    Ok(session)
}

fn no_invoice() -> Value {
    json!({
        "enabled": false,
        "invoice_data": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
            "metadata": {}, "rendering_options": null,
        },
    })
}

/// What is wrong with the parameters as a whole; else the mode.
fn check<'a>(state: &State, params: &'a Params) -> Result<&'a str, ApiError> {
    let mode = params.text("mode").ok_or_else(|| ApiError::missing_parameter("mode"))?;
    if mode == "setup" {
        return Err(ApiError::not_simulated("mode=setup"));
    }
    if params.text("ui_mode").is_some_and(|mode| mode != "hosted_page") {
        return Err(ApiError::not_simulated("ui_mode other than hosted_page"));
    }
    for feature in ["automatic_tax", "phone_number_collection", "tax_id_collection"] {
        if params.get(feature).is_some_and(|given| given["enabled"] == json!(true)) {
            return Err(ApiError::not_simulated(&format!("{feature}[enabled]")));
        }
    }
    for name in ["success_url", "cancel_url"] {
        match params.text(name) {
            Some(url) if url::Url::parse(&url.replace("{CHECKOUT_SESSION_ID}", "id")).is_err() => {
                return Err(ApiError::invalid_code("url_invalid", "Not a valid URL").with_param(name));
            }
            None if name == "success_url" => return Err(ApiError::missing_parameter(name)),
            _ => {}
        }
    }
    if let Some(customer) = params.text("customer") {
        state.get_for_param(Kind::Customer, customer, "customer")?;
        if params.text("customer_email").is_some() {
            return Err(
                ApiError::invalid("You may only specify one of these parameters: customer, customer_email.")
                    .with_param("customer"),
            );
        }
    }
    if params
        .text("client_reference_id")
        .is_some_and(|text| text.chars().count() > MAX_CLIENT_REFERENCE_LENGTH)
    {
        return Err(ApiError::invalid(format!(
            "Invalid string: must be at most {MAX_CLIENT_REFERENCE_LENGTH} characters"
        ))
        .with_param("client_reference_id"));
    }
    if mode != "subscription" && params.get("subscription_data").is_some() {
        return Err(
            ApiError::invalid("You can not pass `subscription_data` in `payment` mode.")
                .with_param("subscription_data"),
        );
    }
    if mode == "subscription" && params.get("payment_intent_data").is_some() {
        return Err(
            ApiError::invalid("You can not pass `payment_intent_data` in `subscription` mode.")
                .with_param("payment_intent_data"),
        );
    }
    if mode == "subscription" && params.get("customer_creation").is_some() {
        return Err(
            ApiError::invalid("`customer_creation` can only be used in `payment` and `setup` mode.")
                .with_param("customer_creation"),
        );
    }
    Ok(mode)
}

fn expiry(params: &Params, now: i64) -> Result<i64, ApiError> {
    let Some(moment) = params.integer("expires_at") else {
        return Ok(now + MAX_OPEN_SECS);
    };
    let wrong = |text: &str| {
        Err(ApiError::invalid(format!(
            "The `expires_at` timestamp must be {text} from Checkout Session creation."
        ))
        .with_param("expires_at"))
    };
    if moment < now + MIN_OPEN_SECS - TOLERANCE_SECS {
        return wrong("at least 30 minutes");
    }
    if moment > now + MAX_OPEN_SECS + TOLERANCE_SECS {
        return wrong("less than 24 hours");
    }
    Ok(moment)
}

fn trial_end(params: &Params, now: i64) -> Result<Option<i64>, ApiError> {
    let Some(data) = params.get("subscription_data") else {
        return Ok(None);
    };
    match (data["trial_period_days"].as_i64(), data["trial_end"].as_i64()) {
        (Some(days), _) if days < 1 => Err(ApiError::invalid("The minimum number of trial period days is 1.")
            .with_param("subscription_data[trial_period_days]")),
        (Some(days), None) => Ok(Some(now + days.min(730) * 86_400)),
        (None, Some(end)) if end < now + 48 * 3_600 => Err(ApiError::invalid(
            "The `trial_end` date has to be at least 2 days in the future.",
        )
        .with_param("subscription_data[trial_end]")),
        (None, end) => Ok(end),
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "You may only specify one of these parameters: subscription_data[trial_period_days], subscription_data[trial_end].",
        )),
    }
}

fn method_types(params: &Params) -> Value {
    match params.list("payment_method_types") {
        [] => json!(["card", "sepa_debit"]),
        types => json!(types),
    }
}

fn build_lines(state: &mut State, params: &Params, mode: &str) -> Result<Vec<Value>, ApiError> {
    let mut lines = Vec::new();
    for (position, given) in params.list("line_items").iter().enumerate() {
        let path = format!("line_items[{position}]");
        let price = match (given["price"].as_str(), &given["price_data"]) {
            (Some(id), _) => state.get_for_param(Kind::Price, id, &format!("{path}[price]"))?,
            (None, data @ Value::Object(_)) => prices::create_for_line(state, data, &format!("{path}[price_data]"))?,
            _ => return Err(ApiError::missing_parameter(&format!("{path}[price]"))),
        };
        if given["price"].is_string() && price["active"] != json!(true) {
            return Err(ApiError::invalid(format!(
                "The price specified is inactive. This field only accepts active prices. ({})",
                id_of(&price)
            ))
            .with_param(&format!("{path}[price]")));
        }
        if mode == "payment" && price["type"] == "recurring" {
            return Err(ApiError::invalid(
                "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
            )
            .with_param(&format!("{path}[price]")));
        }
        let quantity = given["quantity"].as_i64().ok_or_else(|| {
            ApiError::invalid_code(
                "parameter_missing",
                "Quantity is required. Add `quantity` to the line item.",
            )
            .with_param(&format!("{path}[quantity]"))
        })?;
        if quantity < 1 {
            return Err(ApiError::invalid_code(
                "parameter_invalid_integer",
                "This value must be greater than or equal to 1.",
            )
            .with_param(&format!("{path}[quantity]")));
        }
        lines.push(line(state, &price, quantity));
    }
    if mode == "subscription" && !lines.iter().any(|line| line["price"]["type"] == "recurring") {
        return Err(ApiError::invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
        ));
    }
    if mode == "subscription" && lines.iter().any(|line| line["price"]["type"] == "one_time") {
        return Err(ApiError::not_simulated(
            "line_items with one-time prices in subscription mode",
        ));
    }
    Ok(lines)
}

fn line(state: &State, price: &Value, quantity: i64) -> Value {
    let amount = price["unit_amount"].as_i64().unwrap_or(0) * quantity;
    let product = price["product"].as_str().unwrap_or_default();
    let name = state
        .store
        .object(Kind::Product, product)
        .map_or(Value::Null, |product| product["name"].clone());
    json!({
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": name,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    })
}

/// `customer_details` of a session.
pub(crate) fn details(email: &Value, name: &Value) -> Value {
    json!({
        "address": null,
        "business_name": null,
        "email": email,
        "individual_name": null,
        "name": name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": null,
    })
}

/// `line_items`, which are shown only where they are expanded.
pub(crate) fn line_items(state: &State, session_id: &str) -> Option<Value> {
    let lines = state.store.record(Kind::CheckoutSession, session_id)?.hidden["line_items"]
        .as_array()?
        .clone();
    Some(shape(
        &format!("/v1/checkout/sessions/{session_id}/line_items"),
        lines,
        false,
    ))
}

pub(crate) fn list_line_items(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::CheckoutSession, call.id())?;
    let lines = state
        .hidden(Kind::CheckoutSession, call.id(), "line_items")
        .as_array()
        .cloned()
        .unwrap_or_default();
    page_of(
        &format!("/v1/checkout/sessions/{}/line_items", call.id()),
        lines,
        &call.params,
    )
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::CheckoutSession, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::CheckoutSession, call.id())?;
    Ok(state.change(Kind::CheckoutSession, call.id(), None, |session| {
        merge_metadata(&mut session["metadata"], call.params.get("metadata"));
    }))
}

pub(crate) fn list_sessions(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![
        Filter::created(params),
        Filter::param(params, "subscription", "/subscription"),
        Filter::param(params, "payment_intent", "/payment_intent"),
        Filter::param(params, "customer", "/customer"),
        Filter::param(params, "status", "/status"),
    ];
    if let Some(details) = params.get("customer_details") {
        filters.push(Filter::Equals("/customer_details/email", details["email"].clone()));
    }
    list(state, Kind::CheckoutSession, params, &filters)
}

pub(crate) fn expire(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let session = state.get(Kind::CheckoutSession, call.id())?;
    match session["status"].as_str() {
        Some("open") => Ok(expire_now(state, call.id())),
        status => Err(ApiError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            status.unwrap_or("unknown")
        ))
        .with_param("session")),
    }
}

/// The session's time is over.
pub(crate) fn expire_if_due(state: &mut State, id: &str) {
    let open = state
        .store
        .object(Kind::CheckoutSession, id)
        .is_some_and(|session| session["status"] == "open");
    if open {
        expire_now(state, id);
    }
}

fn expire_now(state: &mut State, id: &str) -> Value {
    let session = state.change(Kind::CheckoutSession, id, None, |session| {
        session["status"] = json!("expired");
        session["url"] = Value::Null;
    });
    if let Some(intent) = state.hidden(Kind::CheckoutSession, id, "intent").as_str() {
        payment_intents::cancel(state, intent, "expired");
    }
    state.emit("checkout.session.expired", &session);
    session
}

/// Metadata inside `subscription_data` or `payment_intent_data`.
pub(crate) fn metadata_in(data: &Value) -> Value {
    let given = data["metadata"].as_object().cloned().unwrap_or_else(Map::new);
    Params([("metadata".to_owned(), Value::Object(given))].into_iter().collect()).metadata()
}
