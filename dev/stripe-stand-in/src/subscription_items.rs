//! The items of a subscription, and what changing them costs.

use serde_json::{Value, json};

use crate::agenda::Task;
use crate::billing_cycle;
use crate::clock::Timestamp;
use crate::errors::ApiError;
use crate::ids::new_id;
use crate::invoices::NewLine;
use crate::params::{Params, merge_metadata};
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::subscriptions::end_of_period;

pub(crate) fn build(subscription_id: &str, price: &Value, quantity: i64, period: (Timestamp, Timestamp)) -> Value {
    json!({
        "id": new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": period.0,
        "current_period_end": period.1,
        "current_period_start": period.0,
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    })
}

pub(crate) fn of(subscription: &Value) -> &[Value] {
    subscription["items"]["data"].as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn set_period_end(subscription: &mut Value, end: Timestamp) {
    for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
        item["current_period_end"] = json!(end);
    }
}

/// The amount of one period of an item.
pub(crate) fn amount(item: &Value) -> i64 {
    item["price"]["unit_amount"].as_i64().unwrap_or(0) * item["quantity"].as_i64().unwrap_or(1)
}

/// The line that charges a whole period of an item.
pub(crate) fn line_for(state: &State, item: &Value, amount: i64, period: (Timestamp, Timestamp)) -> NewLine {
    let product = item["price"]["product"].as_str().unwrap_or_default();
    let name = state
        .store
        .object(Kind::Product, product)
        .map_or(Value::Null, |product| product["name"].clone());
    let unit = item["price"]["unit_amount"].as_i64().unwrap_or(0);
    let description = format!(
        "{} × {} (at {}.{:02} {} / {})",
        item["quantity"].as_i64().unwrap_or(1),
        name.as_str().unwrap_or(product),
        unit / 100,
        unit % 100,
        item["price"]["currency"].as_str().unwrap_or_default().to_uppercase(),
        item["price"]["recurring"]["interval"].as_str().unwrap_or("month"),
    );
    NewLine {
        amount,
        description,
        period,
        item: item.clone(),
        proration: false,
    }
}

/// Applies `items[]` of an update: other prices, other quantities, new and deleted items, with their prorations.
pub(crate) fn change(state: &mut State, subscription: &Value, params: &Params) -> Result<(), ApiError> {
    let now = state.now();
    let mut items = of(subscription).to_vec();
    let mut lines = Vec::new();
    let mut new_cycle = false;
    for (position, given) in params.list("items").iter().enumerate() {
        let path = format!("items[{position}]");
        let Some(id) = given["id"].as_str() else {
            let price = recurring_price(state, given, &path)?;
            let period = items.first().map_or((now, end_of_period(&price, now, now)), |item| {
                (now, item["current_period_end"].as_i64().unwrap_or(now))
            });
            let item = build(
                id_of(subscription),
                &price,
                given["quantity"].as_i64().unwrap_or(1),
                period,
            );
            lines.extend(remaining_time(state, &item, subscription, now, 1));
            items.push(item);
            continue;
        };
        let Some(index) = items.iter().position(|item| item["id"] == id) else {
            return Err(ApiError::no_such_param("subscription item", id, &format!("{path}[id]")));
        };
        lines.extend(remaining_time(state, &items[index], subscription, now, -1));
        if given["deleted"] == json!(true) {
            items.remove(index);
            continue;
        }
        let item = &mut items[index];
        let old_interval = item["price"]["recurring"].clone();
        if given["price"].is_string() {
            item["price"] = recurring_price(state, given, &path)?;
        }
        if let Some(quantity) = given.get("quantity") {
            item["quantity"] = quantity.clone();
        }
        merge_metadata(&mut item["metadata"], given.get("metadata"));
        let interval = &item["price"]["recurring"];
        if interval["interval"] != old_interval["interval"]
            || interval["interval_count"] != old_interval["interval_count"]
        {
            new_cycle = true;
            item["current_period_start"] = json!(now);
            item["current_period_end"] = json!(end_of_period(&item["price"], now, now));
            let period = (now, item["current_period_end"].as_i64().unwrap_or(now));
            lines.push(line_for(state, item, amount(item), period));
        } else {
            let item = item.clone();
            lines.extend(remaining_time(state, &item, subscription, now, 1));
        }
    }
    if items.is_empty() {
        return Err(ApiError::invalid("A subscription must have at least one active item.").with_param("items"));
    }
    let id = id_of(subscription).to_owned();
    let end = items[0]["current_period_end"].as_i64().unwrap_or(now);
    state.change(
        Kind::Subscription,
        &id,
        Some("customer.subscription.updated"),
        |subscription| {
            subscription["items"]["data"] = json!(items);
            if new_cycle {
                subscription["billing_cycle_anchor"] = json!(now);
            }
        },
    );
    if new_cycle {
        state.agenda.add(end, Task::EndSubscriptionPeriod, &id);
    }
    let free = subscription["status"] == "trialing";
    match params.text("proration_behavior").unwrap_or("create_prorations") {
        _ if free => Ok(()),
        "none" if !new_cycle => Ok(()),
        "create_prorations" if !new_cycle => {
            billing_cycle::keep_for_next_invoice(state, &id, &lines);
            Ok(())
        }
        behavior => {
            lines.retain(|line| behavior != "none" || !line.proration);
            billing_cycle::invoice_now(state, &id, lines)
        }
    }
}

fn recurring_price(state: &State, given: &Value, path: &str) -> Result<Value, ApiError> {
    let path = format!("{path}[price]");
    let id = given["price"]
        .as_str()
        .ok_or_else(|| ApiError::missing_parameter(&path))?;
    let price = state.get_for_param(Kind::Price, id, &path)?;
    if price["active"] != json!(true) {
        return Err(
            ApiError::invalid("The price specified is inactive. This field only accepts active prices.")
                .with_param(&path),
        );
    }
    if price["recurring"].is_null() {
        return Err(ApiError::invalid(format!(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {id}"
        ))
        .with_param(&path));
    }
    Ok(price)
}

/// The line that charges (`sign` 1) or credits (-1) the rest of the running period.
fn remaining_time(state: &State, item: &Value, subscription: &Value, now: Timestamp, sign: i64) -> Option<NewLine> {
    if subscription["status"] == "trialing" {
        return None;
    }
    let running = of(subscription)
        .iter()
        .find(|old| old["id"] == item["id"])
        .or(of(subscription).first())?;
    let start = running["current_period_start"].as_i64()?;
    let end = running["current_period_end"].as_i64()?;
    let (whole, rest) = ((end - start).max(1), (end - now).max(0));
    let share = (amount(item) * rest + whole / 2) / whole;
    if share == 0 {
        return None;
    }
    let mut line = line_for(state, item, sign * share, (now, end));
    let word = if sign < 0 {
        "Unused time on"
    } else {
        "Remaining time on"
    };
    line.description = format!("{word} {}", line.description);
    line.proration = true;
    Some(line)
}
