//! Reads a catalog file, and says what is wrong with it: all of it where possible, each with line, column and advice.

use std::{fmt, sync::LazyLock};

use serde::Serialize;
use serde_json::Value;

use super::{
    Catalog,
    locate::{Located, Place},
    outline::misnamed_fields,
    validate::contradictions,
};

/// More than any catalog needs, and little enough to read at once.
const MAX_BYTES: usize = 1 << 20;

/// One thing that is wrong with a catalog file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CatalogProblem {
    /// Stable, such as `limit_negative`.
    pub code: &'static str,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1.
    pub column: u64,
    /// A JSON pointer to the value.
    pub pointer: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl CatalogProblem {
    pub(super) fn new(code: &'static str, pointer: &str, place: Place, detail: impl Into<String>) -> Self {
        Self {
            code,
            line: place.line,
            column: place.column,
            pointer: pointer.to_owned(),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for CatalogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.line, self.column, self.detail, self.code)
    }
}

/// Everything that was found wrong with a catalog file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProblems(pub Vec<CatalogProblem>);

impl fmt::Display for CatalogProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CatalogProblems {}

/// The JSON Schema of the catalog file, for editors.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Catalog).to_value());
    &SCHEMA
}

/// Reads and checks a catalog file.
///
/// # Errors
/// Everything that is wrong with it, where one thing does not hide the others.
pub fn load(text: &str) -> Result<Catalog, CatalogProblems> {
    if text.len() > MAX_BYTES {
        let place = Place { line: 1, column: 1 };
        let detail = format!("the file is longer than {MAX_BYTES} bytes: split the installation or shorten texts");
        return Err(one(CatalogProblem::new("file_too_long", "", place, detail)));
    }
    let document = Located::read(text).map_err(|error| one(unreadable(&error)))?;
    let misnamed = misnamed_fields(&document, schema());
    if !misnamed.is_empty() {
        return Err(in_order(misnamed));
    }
    let catalog: Catalog = serde_saphyr::from_str(text).map_err(|error| one(unreadable(&error)))?;
    let contradictions = contradictions(&catalog, &document);
    if contradictions.is_empty() {
        Ok(catalog)
    } else {
        Err(in_order(contradictions))
    }
}

fn one(problem: CatalogProblem) -> CatalogProblems {
    CatalogProblems(vec![problem])
}

fn in_order(mut problems: Vec<CatalogProblem>) -> CatalogProblems {
    problems.sort_by_key(|problem| (problem.line, problem.column));
    CatalogProblems(problems)
}

/// A text that is not YAML, or a value that is not of its field's kind.
fn unreadable(error: &serde_saphyr::Error) -> CatalogProblem {
    use serde_saphyr::Error;
    let error = error.without_snippet();
    let place = error.location().map_or(Place { line: 1, column: 1 }, |location| Place {
        line: location.line(),
        column: location.column(),
    });
    let (code, detail) = match error {
        Error::SerdeInvalidType {
            unexpected, expected, ..
        }
        | Error::SerdeInvalidValue {
            unexpected, expected, ..
        } => ("value_invalid", format!("found {unexpected}, expected {expected}")),
        Error::SerdeUnknownVariant { variant, expected, .. } => (
            "value_unknown",
            format!("`{variant}` is not one of: {}", expected.join(", ")),
        ),
        Error::InvalidScalar { ty, .. } => ("value_invalid", format!("expected {ty}")),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("a key");
            ("key_duplicate", format!("`{key}` stands here twice: remove one"))
        }
        Error::Message { msg, .. } => ("value_invalid", msg.clone()),
        other => ("yaml_invalid", other.to_string()),
    };
    CatalogProblem::new(code, "", place, detail)
}

#[cfg(test)]
mod tests;
