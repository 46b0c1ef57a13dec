//! Webhook endpoints: where events are delivered. The signing secret is shown once, at creation.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::ids::random_text;
use crate::lists::list;
use crate::params::merge_metadata;
use crate::routes::Call;
use crate::state::{API_VERSION, State};
use crate::store::{Kind, id_of};

pub(crate) const CREATE: &str =
    "*url, *enabled_events[], api_version, connect:bool, description, metadata:map, expand[]";
pub(crate) const UPDATE: &str = "url, enabled_events[], disabled:bool, description, metadata:map, expand[]";
pub(crate) const LIST: &str = "limit:int, starting_after, ending_before, expand[]";

/// Stripe's own bound for an account in a sandbox.
const MAX_ENDPOINTS: usize = 16;

pub(crate) fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    check_url(params.text("url"))?;
    check_events(params.list("enabled_events"))?;
    if let Some(version) = params.text("api_version")
        && version != API_VERSION
    {
        return Err(ApiError::invalid(format!(
            "Invalid API version: {version}. The Stripe stand-in speaks {API_VERSION} only."
        ))
        .with_param("api_version"));
    }
    if state.store.count(Kind::WebhookEndpoint) >= MAX_ENDPOINTS {
        return Err(ApiError::invalid(format!(
            "You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints."
        )));
    }
    let secret = format!("whsec_{}", random_text(32));
    let endpoint = json!({
        "id": null,
        "object": "webhook_endpoint",
        "api_version": params.value("api_version"),
        "application": null,
        "created": state.now(),
        "description": params.value("description"),
        "enabled_events": params.value("enabled_events"),
        "livemode": false,
        "metadata": params.metadata(),
        "status": "enabled",
        "url": params.value("url"),
    });
    let mut endpoint = state.create(Kind::WebhookEndpoint, endpoint, json!({"secret": secret}));
    endpoint["secret"] = json!(secret);
    Ok(endpoint)
}

pub(crate) fn retrieve(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    state.get(Kind::WebhookEndpoint, call.id())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let params = &call.params;
    state.get(Kind::WebhookEndpoint, call.id())?;
    if params.get("url").is_some() {
        check_url(params.text("url"))?;
    }
    if params.get("enabled_events").is_some() {
        check_events(params.list("enabled_events"))?;
    }
    Ok(state.change(Kind::WebhookEndpoint, call.id(), None, |endpoint| {
        params.copy_onto(endpoint, &["url", "enabled_events", "description"]);
        merge_metadata(&mut endpoint["metadata"], params.get("metadata"));
        if let Some(disabled) = params.boolean("disabled") {
            endpoint["status"] = json!(if disabled { "disabled" } else { "enabled" });
        }
    }))
}

pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.id();
    state.get(Kind::WebhookEndpoint, id)?;
    state.store.remove(Kind::WebhookEndpoint, id);
    state.outbox.forget_endpoint(id);
    state.revision += 1;
    Ok(json!({"id": id, "object": "webhook_endpoint", "deleted": true}))
}

pub(crate) fn list_endpoints(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    list(state, Kind::WebhookEndpoint, &call.params, &[])
}

/// The enabled endpoints that want events of a type.
pub(crate) fn listening_to(state: &State, event_type: &str) -> Vec<String> {
    state
        .store
        .all(Kind::WebhookEndpoint)
        .filter(|(_, record)| record.object["status"] == "enabled" && wants(&record.object, event_type))
        .map(|(_, record)| id_of(&record.object).to_owned())
        .collect()
}

fn wants(endpoint: &Value, event_type: &str) -> bool {
    endpoint["enabled_events"]
        .as_array()
        .is_some_and(|types| types.iter().any(|wanted| wanted == "*" || wanted == event_type))
}

fn check_url(url: Option<&str>) -> Result<(), ApiError> {
    let valid = url
        .and_then(|url| url::Url::parse(url).ok())
        .is_some_and(|url| matches!(url.scheme(), "http" | "https"));
    if valid {
        return Ok(());
    }
    Err(ApiError::invalid_code(
        "url_invalid",
        "Invalid URL: An explicit scheme (such as https) must be provided.",
    )
    .with_param("url"))
}

fn check_events(types: &[Value]) -> Result<(), ApiError> {
    let known = |name: &str| name == "*" || name.split('.').count() >= 2;
    match types
        .iter()
        .filter_map(Value::as_str)
        .enumerate()
        .find(|(_, name)| !known(name))
    {
        Some((position, name)) => Err(ApiError::invalid(format!(
            "Invalid enabled_events[{position}]: must be one of Stripe's event types, not {name}"
        ))
        .with_param(&format!("enabled_events[{position}]"))),
        None if types.is_empty() => Err(ApiError::missing_parameter("enabled_events")),
        None => Ok(()),
    }
}
