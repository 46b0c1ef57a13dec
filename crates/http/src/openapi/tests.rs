//! The description is true in shape, and the file beside it is the description.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use tenantry_domain::{
    accounts::{email, password},
    display_name,
};

use super::{document, examples::wants_example, text};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// `(path, method, operation)` of all operations.
fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

fn walk(value: &'static Value, visit: &mut impl FnMut(&'static Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

fn is_ours(path: &str) -> bool {
    path.starts_with("/api/v1/")
}

/// Addresses where the rules of OpenID Connect hold.
fn is_of_openid(path: &str) -> bool {
    path.starts_with("/oauth/") || path.starts_with("/.well-known/")
}

#[test]
fn openapi_snapshot_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, text()).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text(),
        "crates/http/openapi.json is stale: run UPDATE_OPENAPI=1 cargo test -p tenantry-http openapi, and look at the change",
    );
}

#[test]
fn openapi_is_3_1_with_what_that_demands() {
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document()["info"]["title"].is_string() && document()["info"]["version"].is_string());
    for (path, method, operation) in operations() {
        assert!(is_ours(path) || is_of_openid(path), "{path}");
        assert!(METHODS.contains(&method), "{method} {path}");
        let named: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| {
                assert_eq!(parameter["required"], true, "{method} {path}");
                parameter["name"].as_str().unwrap()
            })
            .collect();
        assert_eq!(named, described, "{method} {path}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["description"].is_string() || response["$ref"].is_string(),
                "{status} of {method} {path}"
            );
        }
    }
}

#[test]
fn openapi_references_lead_somewhere() {
    walk(document(), &mut |value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{reference} leaves the document"));
            assert!(document().pointer(pointer).is_some(), "{reference} dangles");
        }
    });
}

#[test]
fn openapi_operations_have_ids_tags_words_and_problems() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {path} has no id"));
        assert!(ids.insert(id), "{id} occurs twice");
        assert!(
            id.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'),
            "{id}"
        );
        assert!(operation["summary"].is_string(), "{id} has no summary");
        let tags = operation["tags"]
            .as_array()
            .unwrap_or_else(|| panic!("{id} has no tag"));
        assert_eq!(tags.len(), 1, "{id}: {tags:?}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with(['2', '3'])),
            "{id} never succeeds"
        );
        assert!(responses.contains_key("default"), "{id} declares no problem");
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| status.starts_with(['4', '5', 'd']))
        {
            let response = response["$ref"].as_str().map_or(response, |reference| {
                document().pointer(reference.trim_start_matches('#')).unwrap()
            });
            let content = &response["content"];
            let is_problem = content["application/problem+json"].is_object();
            let is_theirs = content["application/json"]["schema"]["$ref"] == "#/components/schemas/OAuthProblem"
                || content["text/html"].is_object();
            assert!(
                is_problem || (is_of_openid(path) && is_theirs),
                "{status} of {id} is no problem"
            );
        }
        if is_ours(path) && operation.get("security").is_some() {
            assert!(responses.contains_key("401"), "{id} declares no 401");
            let schemes = operation["security"][0].as_object().unwrap();
            assert_eq!(schemes.contains_key("csrf"), method != "get", "{id}");
        }
    }
}

/// The description takes literals only, the domain has the limits: here they meet.
#[test]
fn openapi_limits_are_the_domains() {
    let property = |schema: &str, name: &str| &document()["components"]["schemas"][schema]["properties"][name];
    for schema in ["RegisterRequest", "LoginRequest"] {
        assert_eq!(property(schema, "email")["maxLength"], email::MAX_BYTES);
        assert_eq!(property(schema, "password")["maxLength"], password::MAX_BYTES);
    }
    assert_eq!(
        property("RegisterRequest", "password")["minLength"],
        password::MIN_CHARS
    );
    for (schema, name) in [
        ("RegisterRequest", "name"),
        ("RegisterRequest", "organization_name"),
        ("CreateOrganizationRequest", "name"),
    ] {
        assert_eq!(property(schema, name)["maxLength"], display_name::MAX_CHARS);
    }
}

#[test]
fn openapi_shows_what_every_text_looks_like() {
    let mut without = Vec::new();
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        walk(schema, &mut |value| {
            for (member, schema) in value["properties"].as_object().into_iter().flatten() {
                if wants_example(schema) {
                    without.push(format!("{name}.{member}"));
                }
            }
        });
    }
    assert!(
        without.is_empty(),
        "give these an example, beside the member or in openapi/examples.rs: {without:?}"
    );
}

#[test]
fn openapi_uses_the_tags_that_it_describes() {
    let tags: BTreeSet<&str> = document()["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    for (path, method, operation) in operations() {
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(tags.contains(tag), "{tag} of {method} {path}");
    }
}
