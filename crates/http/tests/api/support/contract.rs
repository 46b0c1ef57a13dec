//! Every answer that any test gets is held against the description of the API: a status or a media type that no
//! operation declares fails the test that met it.

use axum::response::Response;
use http::{Method, StatusCode, header};
use serde_json::Value;

/// What layers around the whole API answer, for any operation; `default` declares them.
const FROM_THE_EDGE: [StatusCode; 6] = [
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Fails when the answer is one that its operation does not declare.
pub(super) fn check(method: &Method, path: &str, response: &Response) {
    let status = response.status();
    if FROM_THE_EDGE.contains(&status) {
        return;
    }
    let Some((template, item)) = find(path) else { return };
    let method = if method == Method::HEAD {
        Method::GET
    } else {
        method.clone()
    };
    let operation = &item[method.as_str().to_lowercase()];
    if operation.is_null() {
        return;
    }
    let id = operation["operationId"].as_str().unwrap();
    let declared = &operation["responses"][status.as_str()];
    assert!(
        !declared.is_null(),
        "{id} ({method} {template}) answered {status}, which its description does not declare"
    );
    let declared = declared["$ref"].as_str().map_or(declared, |reference| {
        document().pointer(reference.trim_start_matches('#')).unwrap()
    });
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|kind| kind.to_str().unwrap().split(';').next().unwrap().trim());
    let kinds: Vec<&String> = declared["content"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(kind, _)| kind)
        .collect();
    match kind {
        Some(kind) => assert!(
            kinds.iter().any(|known| known.as_str() == kind),
            "{id} answered {status} with {kind}, its description says {kinds:?}"
        ),
        None => assert!(
            kinds.is_empty() || status == StatusCode::NOT_MODIFIED,
            "{id} answered {status} without a body, its description says {kinds:?}"
        ),
    }
}

fn document() -> &'static Value {
    tenantry_http::openapi_document()
}

/// The path of the description that this address belongs to: the one with the fewest parameters.
fn find(path: &str) -> Option<(&'static String, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(template, _)| {
            let names: Vec<&str> = template.split('/').collect();
            names.len() == parts.len()
                && names
                    .iter()
                    .zip(&parts)
                    .all(|(name, part)| name.starts_with('{') || name == part)
        })
        .min_by_key(|(template, _)| template.matches('{').count())
}
