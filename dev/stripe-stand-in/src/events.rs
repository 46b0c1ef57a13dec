//! Events: what happened, with the object as it was then.

use serde_json::{Map, Value, json};

use crate::errors::ApiError;
use crate::ids::new_id;
use crate::lists::{Filter, list};
use crate::routes::Call;
use crate::state::{API_VERSION, State};
use crate::store::{Kind, id_of};
use crate::webhook_endpoints;

/// Stores an event and queues its deliveries.
pub(crate) fn emit(state: &mut State, event_type: &str, object: &Value, previous: Option<Value>) {
    let request = state.request.as_ref().map_or_else(
        || json!({"id": null, "idempotency_key": null}),
        |request| json!({"id": request.id, "idempotency_key": request.idempotency_key}),
    );
    let endpoints = webhook_endpoints::listening_to(state, event_type);
    let mut data = json!({"object": object});
    if let Some(previous) = previous {
        data["previous_attributes"] = previous;
    }
    let event = json!({
        "id": new_id(Kind::Event.prefix()),
        "object": "event",
        "api_version": API_VERSION,
        "created": state.now(),
        "data": data,
        "livemode": false,
        "pending_webhooks": endpoints.len(),
        "request": request,
        "type": event_type,
    });
    let event = state.create(Kind::Event, event, Value::Null);
    let now = state.now();
    for endpoint in endpoints {
        state.outbox.enqueue(id_of(&event), event_type, &endpoint, now);
    }
}

/// The values that a change replaced: whole at the leaves, only the changed keys of hashes.
pub(crate) fn previous_attributes(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return before.clone();
    };
    let mut previous = Map::new();
    for (key, new) in after {
        match before.get(key) {
            Some(old) if old == new => {}
            Some(old) => {
                previous.insert(key.clone(), previous_attributes(old, new));
            }
            None => {
                previous.insert(key.clone(), Value::Null);
            }
        }
    }
    for (key, old) in before {
        if !after.contains_key(key) {
            previous.insert(key.clone(), old.clone());
        }
    }
    Value::Object(previous)
}

pub(crate) const LIST: &str =
    "type, types[], created:range, delivery_success:bool, limit:int, starting_after, ending_before, expand[]";

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::Event, call.id())
}

pub(crate) fn list_events(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    let mut filters = vec![Filter::created(params)];
    if let Some(pattern) = params.text("type") {
        filters.push(match pattern.strip_suffix('*') {
            Some(prefix) => Filter::Prefix("/type", prefix.to_owned()),
            None => Filter::Equals("/type", json!(pattern)),
        });
    }
    if params.get("types").is_some() {
        if params.get("type").is_some() {
            return Err(ApiError::invalid("You may not specify both type and types."));
        }
        filters.push(Filter::OneOf("/type", params.list("types").to_vec()));
    }
    match params.boolean("delivery_success") {
        Some(true) => filters.push(Filter::Equals("/pending_webhooks", json!(0))),
        Some(false) => filters.push(Filter::Differs("/pending_webhooks", json!(0))),
        None => {}
    }
    list(state, Kind::Event, params, &filters)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::previous_attributes;

    #[test]
    fn previous_attributes_hold_what_changed() {
        let before = json!({"status": "incomplete", "metadata": {"a": "1", "b": "2"}, "same": [1]});
        let after = json!({"status": "active", "metadata": {"a": "1", "b": "3"}, "same": [1], "new": 1});
        assert_eq!(
            previous_attributes(&before, &after),
            json!({"status": "incomplete", "metadata": {"b": "2"}, "new": null})
        );
    }
}
