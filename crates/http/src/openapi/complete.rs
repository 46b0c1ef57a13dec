//! What is true of many operations is added here from their shape, so that no handler has to repeat it and none can
//! forget it: path parameters, the CSRF token, idempotency keys, and the problems that the layers and extractors answer
//! with. The same keys describe every server's answer, whatever the endpoint.

use serde_json::{Map, Value, json};

use super::examples;
use crate::router::API;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

pub(super) fn complete(document: &mut Value) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for (path, item) in paths {
        for method in METHODS {
            let operation = item.get_mut(method).and_then(Value::as_object_mut);
            match operation {
                Some(operation) if path.starts_with(API) => complete_operation(path, method, operation),
                Some(operation) => complete_foreign(operation),
                None => {}
            }
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("responses".to_owned(), problem_responses());
        if let Some(schemas) = components.get_mut("schemas") {
            examples::add(schemas);
        }
    }
}

/// What follows the rules of others declares itself what it answers by them. What the layers around it answer is the same
/// as everywhere.
fn complete_foreign(operation: &mut Map<String, Value>) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    responses.insert(
        "default".to_owned(),
        json!({ "$ref": "#/components/responses/Problem" }),
    );
    if responses.contains_key("429") {
        for status in ["200", "400", "401", "429"] {
            add_rate_limit(status, responses);
        }
    }
    responses.sort_keys();
}

fn complete_operation(path: &str, method: &str, operation: &mut Map<String, Value>) {
    add_path_parameters(path, operation);
    let is_unsafe = method != "get";
    let is_secured = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|schemes| !schemes.is_empty());
    if is_unsafe && is_secured {
        add_csrf(operation);
        if !is_upload(operation) {
            add_idempotency_key(operation);
        }
    }
    if is_secured {
        add_bearer(operation);
    }
    let has_body = operation.contains_key("requestBody");
    let has_path = path.contains('{');
    let takes_query = parameters(operation).iter().any(|parameter| parameter["in"] == "query");
    let Some(responses) = operation
        .entry("responses")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    else {
        return;
    };
    let mut answers = |status: &str, name: &str| {
        responses
            .entry(status)
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{name}") }));
    };
    if has_body || takes_query || (is_unsafe && is_secured) {
        answers("400", "BadRequest");
    }
    if is_secured {
        answers("401", "Unauthenticated");
    }
    if is_secured || is_unsafe {
        answers("403", "Forbidden");
    }
    if is_secured && is_unsafe {
        answers("409", "Conflict");
        answers("413", "BodyTooLarge");
    }
    if has_path {
        answers("404", "NotFound");
    }
    if has_body {
        answers("413", "BodyTooLarge");
        answers("415", "UnsupportedMediaType");
        answers("422", "ValidationFailed");
    } else if is_unsafe && is_secured {
        answers("422", "ValidationFailed");
    }
    answers("default", "Problem");
    add_rate_limits(responses);
    responses.sort_keys();
}

/// Whether the body is a file, which no key belongs to.
fn is_upload(operation: &Map<String, Value>) -> bool {
    operation
        .get("requestBody")
        .and_then(|body| body["content"].as_object())
        .is_some_and(|content| !content.contains_key("application/json"))
}

/// Where too much can be asked for, the answer says how much is left: when it is used up, and before, whether it was
/// right or wrong. What the operation does not describe itself comes from elsewhere, where nothing is counted.
fn add_rate_limits(responses: &mut Map<String, Value>) {
    // What is too much at once, such as live views, is not counted over time.
    let is_counted = responses
        .get("429")
        .and_then(|response| response["description"].as_str())
        .is_some_and(|description| description.contains("too_many_attempts"));
    let statuses: &[&str] = if is_counted {
        &["200", "201", "202", "204", "401", "429"]
    } else {
        &[]
    };
    for status in statuses {
        add_rate_limit(status, responses);
    }
}

fn add_rate_limit(status: &str, responses: &mut Map<String, Value>) {
    let Some(response) = responses.get_mut(status).and_then(Value::as_object_mut) else {
        return;
    };
    if response.contains_key("$ref") {
        return;
    }
    let mut headers = json!({
        "RateLimit-Limit": header("How often it may be asked for without a pause."),
        "RateLimit-Remaining": header("How many of these are left."),
        "RateLimit-Reset": header("Seconds until the pause ends, or until all of them are back."),
    });
    if status == "429" {
        headers["Retry-After"] = header("Seconds until another attempt may succeed.");
    }
    response.insert("headers".to_owned(), headers);
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "integer", "minimum": 0 } })
}

fn parameters(operation: &Map<String, Value>) -> Vec<Value> {
    operation
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn add_parameter(operation: &mut Map<String, Value>, parameter: Value) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(parameter);
    }
}

fn add_path_parameters(path: &str, operation: &mut Map<String, Value>) {
    for name in path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    {
        if parameters(operation).iter().any(|parameter| parameter["name"] == name) {
            continue;
        }
        let description = match name {
            "organization" => "The organization's id or slug.".to_owned(),
            "name" => "The name.".to_owned(),
            other => format!("The {other}'s id."),
        };
        let mut schema = json!({ "type": "string" });
        if let Some(example) = examples::of_path_parameter(name) {
            schema["example"] = json!(example);
        }
        add_parameter(
            operation,
            json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema }),
        );
    }
}

fn add_csrf(operation: &mut Map<String, Value>) {
    let schemes = operation.get_mut("security").and_then(Value::as_array_mut);
    for scheme in schemes.into_iter().flatten().filter_map(Value::as_object_mut) {
        scheme.entry("csrf").or_insert_with(|| json!([]));
    }
}

/// What a session opens, an access token opens, too.
fn add_bearer(operation: &mut Map<String, Value>) {
    if let Some(schemes) = operation.get_mut("security").and_then(Value::as_array_mut)
        && schemes.iter().any(|scheme| scheme.get("session").is_some())
    {
        schemes.push(json!({ "bearer": [] }));
    }
}

fn add_idempotency_key(operation: &mut Map<String, Value>) {
    if parameters(operation)
        .iter()
        .any(|parameter| parameter["name"] == "Idempotency-Key")
    {
        return;
    }
    add_parameter(
        operation,
        json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Sent again with the same key and body, the call does nothing twice and gets the same answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 }
        }),
    );
}

fn problem_responses() -> Value {
    let response = |description: &str| {
        json!({
            "description": description,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
        })
    };
    json!({
        "BadRequest": response("The request cannot be read: `malformed_json`, `invalid_query`, `invalid_cursor`, `idempotency_key_invalid`."),
        "Unauthenticated": response("Nobody is signed in: `unauthenticated`."),
        "Forbidden": response("Not allowed: `permission_missing`, `role_too_small`, `csrf_token_invalid`, `origin_not_allowed`, `impersonation_read_only`."),
        "NotFound": response("No such thing, or not the caller's: `not_found`."),
        "Conflict": response("The same call is being worked on: `idempotency_in_progress`."),
        "BodyTooLarge": response("`body_too_large`."),
        "UnsupportedMediaType": response("`unsupported_media_type`."),
        "ValidationFailed": response("Values are not acceptable, each named by a JSON pointer: `validation_failed`, `idempotency_key_reused`."),
        "Problem": response("What any address answers: `method_not_allowed` (405), `request_timeout` (408), `headers_too_large` (431), `internal_error` (500), `temporarily_unavailable` (503), `timed_out` (504), and anything else that went wrong; `code` says what.")
    })
}
