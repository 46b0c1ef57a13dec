//! From what the parser and the validator say to pointers and codes.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::wording;
use crate::problem::{FieldProblem, Problem};

/// The parser's complaint about the shape of a document. Values are never repeated: one may be a password.
pub(super) fn from_shape(path: &Path, error: &serde_json::Error) -> FieldProblem {
    let message = error.to_string();
    let mut pointer: Vec<String> = path.iter().filter_map(segment).collect();
    let named = message.split('`').nth(1);
    let (code, detail) = if message.starts_with("missing field") {
        ("required", "This value is required.".to_owned())
    } else if message.starts_with("unknown field") {
        ("unknown_field", "This member is not known here; remove it.".to_owned())
    } else if message.starts_with("duplicate field") {
        ("duplicate_field", "This member occurs twice; send it once.".to_owned())
    } else if message.starts_with("expected value") {
        ("invalid_type", "Expected one of the names allowed here.".to_owned())
    } else if message.starts_with("unknown variant") {
        ("invalid_value", "This is none of the values allowed here.".to_owned())
    } else {
        let code = if message.starts_with("invalid type") {
            "invalid_type"
        } else {
            "invalid_value"
        };
        let expected = message.rsplit_once("expected ").map(|(_, expected)| expected);
        let expected = expected.and_then(|expected| expected.split(" at line ").next());
        (
            code,
            expected.map_or_else(
                || "This value is not acceptable.".to_owned(),
                |expected| format!("Expected {}.", plain(expected)),
            ),
        )
    };
    let names_member = matches!(code, "required" | "unknown_field" | "duplicate_field");
    if let Some(member) = named.filter(|member| names_member && pointer.last().map(String::as_str) != Some(*member)) {
        pointer.push(member.to_owned());
    }
    FieldProblem {
        pointer: join(&pointer),
        code: code.to_owned(),
        detail,
    }
}

/// Rust's names for shapes, in the client's words.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        _ if expected.starts_with("struct ") => "an object",
        _ if expected.starts_with("a sequence") => "a list",
        other => other,
    }
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// The validator's complaints about values.
pub(super) fn from_report(report: &garde::Report) -> Vec<FieldProblem> {
    report
        .iter()
        .map(|(path, error)| {
            // The path reads `inner.items[3].name`.
            let text = path.to_string().replace('[', ".").replace(']', "");
            let pointer: Vec<String> = text
                .split('.')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
            let (code, detail) = wording::split(error.message());
            FieldProblem {
                pointer: join(&pointer),
                code: code.to_owned(),
                detail: detail.to_owned(),
            }
        })
        .collect()
}

fn join(pointer: &[String]) -> String {
    if pointer.is_empty() {
        return "/".to_owned();
    }
    pointer
        .iter()
        .map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")))
        .collect()
}

/// PostgreSQL's texts hold no NUL character, so no text here may.
pub(super) fn refuse_nul(document: &Value) -> Result<(), Problem> {
    fn find(value: &Value, pointer: &mut Vec<String>) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
                pointer.push(index.to_string());
                find(item, pointer) || pointer.pop().is_none()
            }),
            Value::Object(members) => members.iter().any(|(name, member)| {
                pointer.push(name.clone());
                name.contains('\0') || find(member, pointer) || pointer.pop().is_none()
            }),
            _ => false,
        }
    }
    let mut pointer = Vec::new();
    if find(document, &mut pointer) {
        return Err(Problem::field(
            &join(&pointer),
            "control_character",
            "Remove the NUL character.",
        ));
    }
    Ok(())
}
