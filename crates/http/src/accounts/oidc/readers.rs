//! The readers of this area, for tests that feed them anything.

use axum::response::Response;
use http::HeaderMap;

use super::{client_authentication, parameters::Parameters, redirect};

/// A query or a form.
#[derive(Debug)]
pub struct Form(Parameters);

impl Form {
    /// Reads one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Self(Parameters::parse(bytes))
    }

    /// A value that is neither empty nor unfit for the ledger.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// A name that stood twice.
    #[must_use]
    pub fn repeated(&self) -> Option<&str> {
        self.0.repeated()
    }

    /// The same, written as a query.
    #[must_use]
    pub fn query(&self) -> String {
        self.0.query()
    }

    /// The same without some and with one more.
    #[must_use]
    pub fn query_with(&self, left_out: &[&str], added: (&str, &str)) -> String {
        self.0.query_with(left_out, added)
    }
}

/// Name and secret of a client, as its header shows them; `None` without a header and for a malformed one.
#[must_use]
pub fn client_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    client_authentication::basic(headers).ok().flatten()
}

/// The answer that sends a browser on.
#[must_use]
pub fn send_to(address: &str, parameters: &[(&str, &str)]) -> Response {
    redirect::to(address, parameters)
}
