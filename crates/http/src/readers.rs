//! What strangers send, read as far as that goes without the ledger: for tests that feed these readers anything.
//! Handlers use the same readers through their extractors.

use http::HeaderMap;
use tenantry_app::accounts::OpaqueToken;

use crate::{
    authorization::{self, Bearer},
    cookie::SessionCookie,
};

pub use crate::accounts::oidc::readers as oidc;

/// The bearer token of a call; an error for a header that should have held one.
///
/// # Errors
/// When the header is malformed.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Malformed> {
    match authorization::bearer(headers) {
        Bearer::Token(token) => Ok(Some(token)),
        Bearer::None => Ok(None),
        Bearer::Malformed => Err(Malformed),
    }
}

/// A header that holds something else than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header is malformed")]
pub struct Malformed;

/// What each of our cookies holds, beside its name.
#[must_use]
pub fn cookies(headers: &HeaderMap) -> [(&'static str, Option<OpaqueToken>); 3] {
    [SessionCookie::User, SessionCookie::Operator, SessionCookie::Device]
        .map(|cookie| (cookie.name(), cookie.read(headers)))
}
