//! Subscriptions: their object, and the calls that read, change and cancel them.

use serde_json::{Value, json};

use crate::agenda::Task;
use crate::clock::{Timestamp, period_end};
use crate::errors::ApiError;
use crate::ids::new_id;
use crate::lists::{Filter, list, shape};
use crate::params::merge_metadata;
use crate::routes::Call;
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::{invoices, subscription_items};

pub(crate) const UPDATE: &str = "items[]{id, price, quantity:int, deleted:bool, metadata:map, !price_data, !discounts, \
    !tax_rates, !billing_thresholds, !clear_usage}, cancel_at_period_end:bool, cancel_at:int, metadata:map, description, \
    default_payment_method, proration_behavior:always_invoice|create_prorations|none, off_session:bool, \
    payment_behavior:allow_incomplete|error_if_incomplete|default_incomplete|pending_if_incomplete, \
    cancellation_details{comment, feedback, !feedback_option}, trial_end, !application_fee_percent, \
    !billing_schedules, !invoice_settings, !on_behalf_of, !discounts, !add_invoice_items, !automatic_tax, \
    !billing_cycle_anchor, !billing_thresholds, !collection_method, !days_until_due, !default_source, \
    !default_tax_rates, !pause_collection, !payment_settings, !pending_invoice_item_interval, !proration_date, \
    !transfer_data, !trial_from_plan, !trial_settings, expand[]";
pub(crate) const CANCEL: &str =
    "cancellation_details{comment, feedback, !feedback_option}, !invoice_now, !prorate, expand[]";
pub(crate) const LIST: &str = "customer, price, created:range, \
    status:active|past_due|unpaid|canceled|incomplete|incomplete_expired|trialing|paused|ended|all, \
    collection_method:charge_automatically|send_invoice, current_period_end:range, current_period_start:range, \
    limit:int, starting_after, ending_before, expand[], !test_clock, !automatic_tax, \
    !customer_account";

const DAY_SECS: i64 = 86_400;
/// Stripe gives up an incomplete subscription after this time.
const INCOMPLETE_SECS: i64 = 23 * 3_600;

/// What a new subscription is made of.
pub(crate) struct NewSubscription {
    pub(crate) customer: String,
    pub(crate) metadata: Value,
    pub(crate) description: Value,
    /// Price and quantity of each item; at least one.
    pub(crate) items: Vec<(Value, i64)>,
    pub(crate) trial_end: Option<Timestamp>,
}

/// Stores a subscription, `incomplete` or `trialing`, and announces it.
pub(crate) fn create(state: &mut State, new: NewSubscription) -> Value {
    let now = state.now();
    let id = new_id(Kind::Subscription.prefix());
    let currency = new
        .items
        .first()
        .map_or(Value::Null, |(price, _)| price["currency"].clone());
    let anchor = new.trial_end.unwrap_or(now);
    let items: Vec<Value> = new
        .items
        .iter()
        .map(|(price, quantity)| {
            let end = new.trial_end.unwrap_or_else(|| end_of_period(price, now, now));
            subscription_items::build(&id, price, *quantity, (now, end))
        })
        .collect();
    let first_end = items
        .first()
        .and_then(|item| item["current_period_end"].as_i64())
        .unwrap_or(now);
    let subscription = json!({
        "id": id,
        "object": "subscription",
        "application": null,
        "application_fee_percent": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": null,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "billing_thresholds": null,
        "cancel_at": null,
        "cancel_at_period_end": false,
        "canceled_at": null,
        "cancellation_details": {"comment": null, "feedback": null, "reason": null},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": new.customer,
        "days_until_due": null,
        "default_payment_method": null,
        "default_source": null,
        "default_tax_rates": [],
        "description": new.description,
        "discounts": [],
        "ended_at": null,
        "invoice_settings": {"account_tax_ids": null, "issuer": {"type": "self"}},
        "items": shape(&format!("/v1/subscription_items?subscription={id}"), items, false),
        "latest_invoice": null,
        "livemode": false,
        "metadata": new.metadata,
        "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null,
        "pause_collection": null,
        "payment_settings": {
            "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": null,
        "pending_setup_intent": null,
        "pending_update": null,
        "schedule": null,
        "start_date": now,
        "status": if new.trial_end.is_some() { "trialing" } else { "incomplete" },
        "test_clock": null,
        "transfer_data": null,
        "trial_end": new.trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": new.trial_end.map(|_| now),
    });
    let subscription = state.create(Kind::Subscription, subscription, json!({}));
    state.agenda.add(first_end, Task::EndSubscriptionPeriod, &id);
    match new.trial_end {
        Some(end) => state
            .agenda
            .add((end - 3 * DAY_SECS).max(now), Task::AnnounceTrialEnd, &id),
        None => state
            .agenda
            .add(now + INCOMPLETE_SECS, Task::ExpireIncompleteSubscription, &id),
    }
    give_customer_a_currency(state, &subscription);
    state.emit("customer.subscription.created", &subscription);
    subscription
}

fn give_customer_a_currency(state: &mut State, subscription: &Value) {
    let customer = subscription["customer"].as_str().unwrap_or_default().to_owned();
    let currency = subscription["currency"].clone();
    state.change(Kind::Customer, &customer, Some("customer.updated"), |customer| {
        if customer["currency"].is_null() {
            customer["currency"] = currency;
        }
    });
}

/// The end of the period that begins at `start`, by the price's interval.
pub(crate) fn end_of_period(price: &Value, anchor: Timestamp, start: Timestamp) -> Timestamp {
    let recurring = &price["recurring"];
    let count = recurring["interval_count"]
        .as_u64()
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(1);
    period_end(anchor, start, recurring["interval"].as_str().unwrap_or("month"), count)
}

/// The first payment came: the subscription runs.
pub(crate) fn activate(state: &mut State, id: &str, method: Option<&str>) {
    state.change(
        Kind::Subscription,
        id,
        Some("customer.subscription.updated"),
        |subscription| {
            if matches!(
                subscription["status"].as_str(),
                Some("incomplete" | "past_due" | "unpaid")
            ) {
                subscription["status"] = json!("active");
            }
            if let Some(method) = method {
                subscription["default_payment_method"] = json!(method);
            }
        },
    );
}

/// The first payment did not come in time.
pub(crate) fn expire_incomplete(state: &mut State, id: &str) {
    let Some(subscription) = state.store.object(Kind::Subscription, id).cloned() else {
        return;
    };
    if subscription["status"] != "incomplete" {
        return;
    }
    if let Some(invoice) = subscription["latest_invoice"].as_str() {
        invoices::void(state, invoice);
    }
    let now = state.now();
    state.change(
        Kind::Subscription,
        id,
        Some("customer.subscription.updated"),
        |subscription| {
            subscription["status"] = json!("incomplete_expired");
            subscription["ended_at"] = json!(now);
        },
    );
}

/// Ends a subscription now.
pub(crate) fn cancel_now(state: &mut State, id: &str, reason: &str) -> Value {
    let now = state.now();
    let subscription = state.change(Kind::Subscription, id, None, |subscription| {
        subscription["status"] = json!("canceled");
        subscription["ended_at"] = json!(now);
        if subscription["canceled_at"].is_null() {
            subscription["canceled_at"] = json!(now);
        }
        if subscription["cancellation_details"]["reason"].is_null() {
            subscription["cancellation_details"]["reason"] = json!(reason);
        }
    });
    state.emit("customer.subscription.deleted", &subscription);
    subscription
}

pub(crate) fn cancel_all_of_customer(state: &mut State, customer: &str) {
    let ids: Vec<String> = state
        .store
        .by_index(Kind::Subscription, "/customer", customer)
        .into_iter()
        .flatten()
        .filter(|(_, record)| !has_ended(&record.object))
        .map(|(_, record)| id_of(&record.object).to_owned())
        .collect();
    for id in ids {
        cancel_now(state, &id, "cancellation_requested");
    }
}

pub(crate) fn has_ended(subscription: &Value) -> bool {
    matches!(subscription["status"].as_str(), Some("canceled" | "incomplete_expired"))
}

/// `customer.subscriptions`, which is shown only where it is expanded.
pub(crate) fn of_customer(state: &State, customer: &str) -> Value {
    let subscriptions = state
        .store
        .by_index(Kind::Subscription, "/customer", customer)
        .into_iter()
        .flatten()
        .rev()
        .map(|(_, record)| record.object.clone())
        .filter(|subscription| !has_ended(subscription))
        .collect();
    shape(&format!("/v1/customers/{customer}/subscriptions"), subscriptions, false)
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Subscription, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (id, params) = (call.id(), &call.params);
    let subscription = state.get(Kind::Subscription, id)?;
    let changes_more_than_notes = params
        .0
        .keys()
        .any(|name| !matches!(name.as_str(), "metadata" | "cancellation_details" | "expand"));
    if has_ended(&subscription) && changes_more_than_notes {
        return Err(ApiError::invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
        ));
    }
    if let Some(method) = params.text("default_payment_method") {
        state.get_for_param(Kind::PaymentMethod, method, "default_payment_method")?;
    }
    let now = state.now();
    let trial_end = read_trial_end(params.get("trial_end"), now)?;
    if params.get("items").is_some() {
        subscription_items::change(state, &subscription, params)?;
    }
    let subscription = state.change(
        Kind::Subscription,
        id,
        Some("customer.subscription.updated"),
        |subscription| {
            params.copy_onto(subscription, &["description", "default_payment_method"]);
            merge_metadata(&mut subscription["metadata"], params.get("metadata"));
            copy_cancellation_details(subscription, params.get("cancellation_details"));
            if let Some(cancel) = params.boolean("cancel_at_period_end") {
                schedule_cancellation(subscription, cancel, now);
            }
            if params.get("cancel_at").is_some() {
                subscription["cancel_at"] = params.value("cancel_at");
                subscription["canceled_at"] = params.integer("cancel_at").map_or(Value::Null, |_| json!(now));
            }
            if let Some(end) = trial_end {
                subscription["trial_end"] = json!(end);
                subscription["billing_cycle_anchor"] = json!(end);
                subscription_items::set_period_end(subscription, end);
                if end > now {
                    subscription["status"] = json!("trialing");
                }
            }
        },
    );
    if let Some(moment) = params.integer("cancel_at") {
        state.agenda.add(moment, Task::EndSubscriptionPeriod, id);
    }
    if let Some(end) = trial_end {
        state.agenda.add(end, Task::EndSubscriptionPeriod, id);
    }
    Ok(subscription)
}

fn read_trial_end(given: Option<&Value>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    match given.and_then(Value::as_str) {
        None => Ok(None),
        Some("now") => Ok(Some(now)),
        Some(text) => match text.parse::<i64>() {
            Ok(moment) if moment > now => Ok(Some(moment)),
            _ => Err(
                ApiError::invalid("Invalid timestamp: must be an integer Unix timestamp in the future.")
                    .with_param("trial_end"),
            ),
        },
    }
}

fn schedule_cancellation(subscription: &mut Value, cancel: bool, now: Timestamp) {
    let end = subscription["items"]["data"][0]["current_period_end"].clone();
    subscription["cancel_at_period_end"] = json!(cancel);
    subscription["cancel_at"] = if cancel { end } else { Value::Null };
    subscription["canceled_at"] = if cancel { json!(now) } else { Value::Null };
    subscription["cancellation_details"]["reason"] = if cancel {
        json!("cancellation_requested")
    } else {
        Value::Null
    };
}

fn copy_cancellation_details(subscription: &mut Value, given: Option<&Value>) {
    if let Some(Value::Object(details)) = given {
        for (name, value) in details {
            subscription["cancellation_details"][name] = value.clone();
        }
    }
}

pub(crate) fn cancel(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let subscription = state.get(Kind::Subscription, call.id())?;
    if has_ended(&subscription) {
        return Err(ApiError::no_such(Kind::Subscription.noun(), call.id()));
    }
    state.change(Kind::Subscription, call.id(), None, |subscription| {
        copy_cancellation_details(subscription, call.params.get("cancellation_details"));
    });
    Ok(cancel_now(state, call.id(), "cancellation_requested"))
}

pub(crate) fn list_subscriptions(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![
        Filter::created(params),
        Filter::param(params, "customer", "/customer"),
        Filter::param(params, "price", "/items/data/0/price/id"),
        Filter::param(params, "collection_method", "/collection_method"),
    ];
    for (name, pointer) in [
        ("current_period_end", "/items/data/0/current_period_end"),
        ("current_period_start", "/items/data/0/current_period_start"),
    ] {
        if let Some(bounds) = params.get(name) {
            filters.push(match bounds {
                Value::Object(_) => Filter::Bounds(pointer, bounds.clone()),
                moment => Filter::Equals(pointer, moment.clone()),
            });
        }
    }
    filters.push(match params.text("status") {
        Some("all") => Filter::Everything,
        Some("ended") => Filter::OneOf("/status", vec![json!("canceled"), json!("incomplete_expired")]),
        Some(status) => Filter::Equals("/status", json!(status)),
        None => Filter::Differs("/status", json!("canceled")),
    });
    list(state, Kind::Subscription, params, &filters)
}
