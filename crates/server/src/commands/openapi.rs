//! `tenantry openapi`.

use crate::{
    exit::{Failure, FailureKind},
    print::print_json,
};

/// Prints the document that the server answers at `/api/v1/openapi.json`.
pub fn run() -> Result<(), Failure> {
    let document = serde_json::to_value(tenantry_http::openapi_document())
        .map_err(|error| Failure::new(FailureKind::Failed, error))?;
    print_json(&document)
}
