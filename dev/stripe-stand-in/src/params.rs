//! What parameters a call takes, written as one line of text, and the values it was given.
//!
//! `"*name, active:bool, quantity:int, mode:payment|subscription, metadata:map, created:range, items[]{price},
//! address{city}, lookup_keys[], !coupon"` reads: `name` is required; `coupon` is Stripe's, but not simulated here.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::errors::ApiError;
use crate::form::{FormKey, FormNode};

const MAX_METADATA_KEYS: usize = 50;
const MAX_METADATA_KEY_LENGTH: usize = 40;
const MAX_METADATA_VALUE_LENGTH: usize = 500;
const MAX_TEXT_LENGTH: usize = 5_000;

/// One parameter of a call.
#[derive(Clone, Debug)]
struct Field {
    name: String,
    required: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Text,
    Integer,
    Boolean,
    Choice(Vec<String>),
    Metadata,
    /// A time, or bounds of it: `created=1` or `created[gte]=1`.
    Range,
    /// Taken as it comes.
    Any,
    NotSimulated,
    List(Box<Kind>),
    Hash(Description),
}

/// The parameters of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    fields: Vec<Field>,
}

impl Description {
    pub(crate) fn parse(text: &str) -> Self {
        let mut fields = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = end_of_field(rest);
            fields.push(parse_field(rest[..end].trim()));
            rest = rest[end..].trim_start_matches(',').trim();
        }
        Self { fields }
    }

    /// The names that are known, for comparison with Stripe's own description: `false` where one is not simulated,
    /// its parts where it has parts.
    pub(crate) fn outline(&self) -> Value {
        self.fields
            .iter()
            .map(|field| (field.name.clone(), field.kind.outline()))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Turns decoded text into typed values, or says what is wrong with it.
    pub(crate) fn read(&self, form: &BTreeMap<FormKey, FormNode>) -> Result<Params, ApiError> {
        self.read_hash(form, "").map(Params)
    }

    fn read_hash(&self, form: &BTreeMap<FormKey, FormNode>, path: &str) -> Result<Map<String, Value>, ApiError> {
        let mut values = Map::new();
        for (key, node) in form {
            let key = key.text();
            let full = join(path, &key);
            let field = self
                .fields
                .iter()
                .find(|field| field.name == key)
                .ok_or_else(|| ApiError::unknown_parameter(&full))?;
            values.insert(key, field.kind.read(node, &full)?);
        }
        match self
            .fields
            .iter()
            .find(|field| field.required && !values.contains_key(&field.name))
        {
            Some(missing) => Err(ApiError::missing_parameter(&join(path, &missing.name))),
            None => Ok(values),
        }
    }
}

/// The position of the comma that ends the first field: commas inside braces belong to the field.
fn end_of_field(text: &str) -> usize {
    let mut depth = 0_usize;
    for (position, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return position,
            _ => {}
        }
    }
    text.len()
}

fn parse_field(text: &str) -> Field {
    let (required, text) = match text.strip_prefix('*') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let Some(name) = text.strip_prefix('!') {
        return Field {
            name: name.to_owned(),
            required,
            kind: Kind::NotSimulated,
        };
    }
    let name_end = text.find([':', '[', '{']).unwrap_or(text.len());
    Field {
        name: text[..name_end].to_owned(),
        required,
        kind: parse_kind(&text[name_end..]),
    }
}

fn parse_kind(text: &str) -> Kind {
    if let Some(item) = text.strip_prefix("[]") {
        return Kind::List(Box::new(parse_kind(item)));
    }
    if let Some(inner) = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        return Kind::Hash(Description::parse(inner));
    }
    match text.strip_prefix(':') {
        None => Kind::Text,
        Some("int") => Kind::Integer,
        Some("bool") => Kind::Boolean,
        Some("map") => Kind::Metadata,
        Some("range") => Kind::Range,
        Some("any") => Kind::Any,
        Some(choices) => Kind::Choice(choices.split('|').map(str::to_owned).collect()),
    }
}

impl Kind {
    fn outline(&self) -> Value {
        match self {
            Self::NotSimulated => json!(false),
            Self::List(item) => item.outline(),
            Self::Hash(description) => description.outline(),
            _ => json!(true),
        }
    }

    fn read(&self, node: &FormNode, path: &str) -> Result<Value, ApiError> {
        match (self, node) {
            (Self::NotSimulated, _) => Err(ApiError::not_simulated(path)),
            (Self::Any, node) => Ok(as_is(node)),
            (Self::List(item), FormNode::Map(entries)) => entries
                .iter()
                .map(|(key, node)| item.read(node, &join(path, &key.text())))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            (Self::Hash(description), FormNode::Map(entries)) => {
                description.read_hash(entries, path).map(Value::Object)
            }
            (Self::Metadata, FormNode::Map(entries)) => read_metadata(entries, path),
            (Self::Range, FormNode::Map(entries)) => Description::parse("gt:int, gte:int, lt:int, lte:int")
                .read_hash(entries, path)
                .map(Value::Object),
            // An empty value unsets, whatever the type.
            (_, FormNode::Text(text)) if text.is_empty() => Ok(Value::Null),
            (Self::Text, FormNode::Text(text)) => read_text(text, path),
            (Self::Integer | Self::Range, FormNode::Text(text)) => {
                text.parse::<i64>().map(|number| json!(number)).map_err(|_| {
                    ApiError::invalid_code("parameter_invalid_integer", format!("Invalid integer: {text}"))
                        .with_param(path)
                })
            }
            (Self::Boolean, FormNode::Text(text)) => match text.as_str() {
                "true" | "1" => Ok(json!(true)),
                "false" | "0" => Ok(json!(false)),
                _ => Err(ApiError::invalid(format!("Invalid boolean: {text}")).with_param(path)),
            },
            (Self::Choice(choices), FormNode::Text(text)) if choices.contains(text) => Ok(json!(text)),
            (Self::Choice(choices), FormNode::Text(_)) => Err(ApiError::invalid(format!(
                "Invalid {path}: must be one of {}",
                choices.join(", or ")
            ))
            .with_param(path)),
            (Self::List(_), FormNode::Text(_)) => Err(ApiError::invalid("Invalid array").with_param(path)),
            (Self::Hash(_) | Self::Metadata, FormNode::Text(_)) => {
                Err(ApiError::invalid_code("parameter_invalid_object", "Invalid object").with_param(path))
            }
            (_, FormNode::Map(_)) => {
                Err(ApiError::invalid(format!("Invalid string: {path} is a hash")).with_param(path))
            }
        }
    }
}

fn read_text(text: &str, path: &str) -> Result<Value, ApiError> {
    if text.chars().count() > MAX_TEXT_LENGTH {
        return Err(ApiError::invalid_code(
            "parameter_invalid_string_too_long",
            format!("Invalid string: must be at most {MAX_TEXT_LENGTH} characters"),
        )
        .with_param(path));
    }
    Ok(json!(text))
}

fn read_metadata(entries: &BTreeMap<FormKey, FormNode>, path: &str) -> Result<Value, ApiError> {
    if entries.len() > MAX_METADATA_KEYS {
        return Err(ApiError::invalid(format!("Metadata can have at most {MAX_METADATA_KEYS} keys.")).with_param(path));
    }
    let mut values = Map::new();
    for (key, node) in entries {
        let key = key.text();
        let full = join(path, &key);
        let FormNode::Text(text) = node else {
            return Err(ApiError::invalid("Metadata values must be strings").with_param(&full));
        };
        if key.chars().count() > MAX_METADATA_KEY_LENGTH {
            return Err(ApiError::invalid(format!(
                "Metadata keys can have up to {MAX_METADATA_KEY_LENGTH} characters: {key}"
            ))
            .with_param(path));
        }
        if text.chars().count() > MAX_METADATA_VALUE_LENGTH {
            return Err(ApiError::invalid(format!(
                "Metadata values can have up to {MAX_METADATA_VALUE_LENGTH} characters."
            ))
            .with_param(&full));
        }
        values.insert(key, json!(text));
    }
    Ok(Value::Object(values))
}

fn as_is(node: &FormNode) -> Value {
    match node {
        FormNode::Text(text) => json!(text),
        FormNode::Map(map) => Value::Object(map.iter().map(|(key, node)| (key.text(), as_is(node))).collect()),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}[{key}]")
    }
}

/// The values of a call, typed and known to be expected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value as Stripe stores it: null when unset.
    pub(crate) fn value(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Metadata of a new object.
    pub(crate) fn metadata(&self) -> Value {
        let mut metadata = json!({});
        merge_metadata(&mut metadata, self.0.get("metadata"));
        metadata
    }

    /// Copies the named values that were given onto an object.
    pub(crate) fn copy_onto(&self, object: &mut Value, names: &[&str]) {
        for name in names {
            if let Some(value) = self.0.get(*name) {
                object[*name] = value.clone();
            }
        }
    }
}

/// Merges as Stripe does: an empty value removes its key, an empty hash removes all.
pub(crate) fn merge_metadata(metadata: &mut Value, given: Option<&Value>) {
    match given {
        Some(Value::Null) => *metadata = json!({}),
        Some(Value::Object(changes)) => {
            for (key, value) in changes {
                if value.as_str() == Some("") {
                    if let Some(map) = metadata.as_object_mut() {
                        map.remove(key);
                    }
                } else {
                    metadata[key] = value.clone();
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Description, Params, merge_metadata};
    use crate::errors::ApiError;
    use crate::form;

    fn read(description: &str, body: &str) -> Result<Params, ApiError> {
        Description::parse(description).read(&form::decode(body.as_bytes()).unwrap())
    }

    #[test]
    fn values_are_typed() {
        let params = read(
            "*name, active:bool, items[]{price, quantity:int}, metadata:map, created:range",
            "name=A&active=true&items[0][price]=p&items[0][quantity]=2&metadata[3]=x&created[gte]=7",
        )
        .unwrap();
        assert_eq!(
            serde_json::Value::Object(params.0),
            json!({"name": "A", "active": true, "items": [{"price": "p", "quantity": 2}], "metadata": {"3": "x"}, "created": {"gte": 7}})
        );
    }

    #[test]
    fn refusals_name_the_parameter() {
        let code = |description, body| read(description, body).unwrap_err().body();
        assert_eq!(code("name", "nam=A")["code"], "parameter_unknown");
        assert_eq!(code("a[]{b}", "a[0][c]=A")["param"], "a[0][c]");
        assert_eq!(code("*name", "")["code"], "parameter_missing");
        assert_eq!(code("n:int", "n=x")["code"], "parameter_invalid_integer");
        assert_eq!(code("mode:payment|subscription", "mode=x")["param"], "mode");
        assert!(
            code("!coupon", "coupon=x")["message"]
                .as_str()
                .unwrap()
                .contains("does not simulate")
        );
    }

    #[test]
    fn metadata_merges_and_unsets() {
        let mut metadata = json!({"a": "1", "b": "2"});
        merge_metadata(&mut metadata, Some(&json!({"a": "", "c": "3"})));
        assert_eq!(metadata, json!({"b": "2", "c": "3"}));
        merge_metadata(&mut metadata, Some(&serde_json::Value::Null));
        assert_eq!(metadata, json!({}));
    }
}
