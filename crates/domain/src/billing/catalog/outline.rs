//! Compares a document with the catalog's own JSON Schema as far as the names of fields go, so that all misspelled and
//! all missing fields are reported together. What the fields hold is checked where they are read.

use serde_json::{Map, Value};

use super::{
    load::CatalogProblem,
    locate::{Located, below},
};

/// All fields that the format does not know, and all that it requires and that are not there.
pub(super) fn misnamed_fields(document: &Located, schema: &Value) -> Vec<CatalogProblem> {
    let mut outline = Outline {
        document,
        schema,
        problems: Vec::new(),
    };
    outline.walk(&document.value, schema, "");
    outline.problems
}

struct Outline<'a> {
    document: &'a Located,
    schema: &'a Value,
    problems: Vec<CatalogProblem>,
}

impl<'a> Outline<'a> {
    fn walk(&mut self, value: &Value, schema: &'a Value, pointer: &str) {
        let schema = self.resolve(schema);
        match value {
            Value::Object(object) => self.walk_object(object, schema, pointer),
            Value::Array(items) => {
                if let Some(item_schema) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.walk(item, item_schema, &below(pointer, &index.to_string()));
                    }
                }
            }
            _ => {}
        }
    }

    fn walk_object(&mut self, object: &Map<String, Value>, schema: &'a Value, pointer: &str) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        for (key, value) in object {
            let inner = below(pointer, key);
            match properties.get(key) {
                Some(property) => self.walk(value, property, &inner),
                None => self.report_unknown(key, properties, &inner),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for field in required
            .filter_map(Value::as_str)
            .filter(|field| !object.contains_key(*field))
        {
            self.problems.push(CatalogProblem::new(
                "field_missing",
                pointer,
                self.document.place(pointer),
                format!("`{field}` is missing here: add it"),
            ));
        }
    }

    fn report_unknown(&mut self, key: &str, properties: &Map<String, Value>, pointer: &str) {
        let advice = match closest(key, properties.keys()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                let known: Vec<_> = properties.keys().map(String::as_str).collect();
                format!("known here: {}", known.join(", "))
            }
        };
        self.problems.push(CatalogProblem::new(
            "field_unknown",
            pointer,
            self.document.key_place(pointer),
            format!("`{key}` is not a field of this: {advice}"),
        ));
    }

    /// Follows a reference, and steps through `anyOf [T, null]`, which is how an optional value is written.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let schema = schema
            .get("anyOf")
            .and_then(Value::as_array)
            .and_then(|choices| choices.iter().find(|choice| choice.get("$ref").is_some()))
            .unwrap_or(schema);
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.schema.pointer(reference.trim_start_matches('#')))
            .unwrap_or(schema)
    }
}

/// The known name that is at most two edits away.
fn closest<'k>(key: &str, known: impl Iterator<Item = &'k String>) -> Option<&'k String> {
    known
        .map(|candidate| (edits(key, candidate), candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance of two short texts.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
