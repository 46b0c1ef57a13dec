//! Calls that change something and carry a cookie must come from our own page: by their `Origin`, and by a token that
//! only a page can know which may read the session.

use hmac::{Hmac, KeyInit, Mac};
use http::{Method, header, request::Parts};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tenantry_app::accounts::OpaqueToken;

use crate::{
    AppState,
    problem::{Problem, kinds},
};

/// The header that carries the token.
pub(crate) const TOKEN_HEADER: &str = "x-csrf-token";

/// Whether a call with this method changes nothing.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The token of a session. It is derived from the secret in the cookie, which no script can read, so it needs no place
/// in the ledger and ends with the session.
pub(crate) fn token(secret: &OpaqueToken) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.bytes()) else {
        return String::new();
    };
    mac.update(b"tenantry csrf token");
    hex::encode(mac.finalize().into_bytes())
}

/// Refuses an unsafe call that our own page did not make.
pub(crate) fn check(state: &AppState, parts: &Parts, secret: &OpaqueToken) -> Result<(), Problem> {
    if is_safe(&parts.method) {
        return Ok(());
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if header(header::ORIGIN.as_str()) != Some(state.origin.as_str()) {
        return Err(Problem::of(kinds::ORIGIN_NOT_ALLOWED));
    }
    let sent = header(TOKEN_HEADER).unwrap_or_default();
    if bool::from(sent.as_bytes().ct_eq(token(secret).as_bytes())) {
        Ok(())
    } else {
        Err(Problem::of(kinds::CSRF_TOKEN_INVALID))
    }
}

/// Refuses a call without a cookie (a sign-in) that a browser makes from another site: it could sign its visitor in as
/// somebody else. Programs send no `Origin` and may pass.
pub(crate) fn check_origin_if_sent(state: &AppState, parts: &Parts) -> Result<(), Problem> {
    match parts.headers.get(header::ORIGIN) {
        Some(origin) if origin.as_bytes() != state.origin.as_bytes() => Err(Problem::of(kinds::ORIGIN_NOT_ALLOWED)),
        _ => Ok(()),
    }
}
