//! Chart values with expressions: `{{ tenant.host }}` in a text becomes what it names.
//!
//! Only scalar leaves of an already parsed tree are looked at, and what is put in is never looked at again, so that a
//! customer who is called `"; {{ x }}` stays a text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What an expression may name, such as `tenant.host`.
pub type Variables = BTreeMap<&'static str, Value>;

/// An expression that cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpression {
    /// No such name.
    #[error("{pointer}: nothing is called {name:?} here")]
    UnknownName {
        /// JSON pointer of the leaf.
        pointer: String,
        /// What stood between the braces.
        name: String,
    },
    /// `{{` without `}}`.
    #[error("{pointer}: an expression is not closed by }}}}")]
    NotClosed {
        /// JSON pointer of the leaf.
        pointer: String,
    },
}

/// Resolves every expression in `values`. A text that is nothing but one expression takes the type of what it names.
///
/// # Errors
/// With the place of the first expression that cannot be resolved.
pub fn resolve(values: &Map<String, Value>, variables: &Variables) -> Result<Map<String, Value>, InvalidExpression> {
    resolve_map(values, variables, "")
}

fn resolve_map(
    values: &Map<String, Value>,
    variables: &Variables,
    pointer: &str,
) -> Result<Map<String, Value>, InvalidExpression> {
    values
        .iter()
        .map(|(key, value)| {
            Ok((
                key.clone(),
                resolve_value(value, variables, &format!("{pointer}/{key}"))?,
            ))
        })
        .collect()
}

fn resolve_value(value: &Value, variables: &Variables, pointer: &str) -> Result<Value, InvalidExpression> {
    match value {
        Value::String(text) => resolve_text(text, variables, pointer),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| resolve_value(item, variables, &format!("{pointer}/{index}")))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Value::Object(map) => resolve_map(map, variables, pointer).map(Value::Object),
        scalar => Ok(scalar.clone()),
    }
}

fn resolve_text(text: &str, variables: &Variables, pointer: &str) -> Result<Value, InvalidExpression> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, remainder) = after.split_once("}}").ok_or_else(|| InvalidExpression::NotClosed {
            pointer: pointer.to_owned(),
        })?;
        let value = variables
            .get(name.trim())
            .ok_or_else(|| InvalidExpression::UnknownName {
                pointer: pointer.to_owned(),
                name: name.trim().to_owned(),
            })?;
        if rest.len() == text.len() && before.is_empty() && remainder.is_empty() {
            return Ok(value.clone());
        }
        resolved.push_str(before);
        match value {
            Value::String(word) => resolved.push_str(word),
            other => resolved.push_str(&other.to_string()),
        }
        rest = remainder;
    }
    resolved.push_str(rest);
    Ok(Value::String(resolved))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(values: &Value) -> Result<Value, InvalidExpression> {
        let variables = Variables::from([
            ("tenant.host", json!("a.example")),
            ("organization.name", json!("\"; {{ x }}")),
            ("product.port", json!(8080)),
        ]);
        resolve(values.as_object().unwrap(), &variables).map(Value::Object)
    }

    #[test]
    fn a_whole_leaf_keeps_its_type_and_a_part_becomes_text() {
        assert_eq!(
            resolved(
                &json!({"a": ["{{ product.port }}", 1], "b": {"c": "http://{{tenant.host}}:{{ product.port }}/"}})
            ),
            Ok(json!({"a": [8080, 1], "b": {"c": "http://a.example:8080/"}}))
        );
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        assert_eq!(
            resolved(&json!({"title": "{{ organization.name }}", "long": "of {{ organization.name }}!"})),
            Ok(json!({"title": "\"; {{ x }}", "long": "of \"; {{ x }}!"}))
        );
    }

    #[test]
    fn an_unknown_name_is_refused_with_its_place() {
        assert_eq!(
            resolved(&json!({"a": [{"b": "{{ tenant.password }}"}]})),
            Err(InvalidExpression::UnknownName {
                pointer: "/a/0/b".to_owned(),
                name: "tenant.password".to_owned()
            })
        );
        assert!(resolved(&json!({"a": "{{ tenant.host"})).is_err());
    }
}
