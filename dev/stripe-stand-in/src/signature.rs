//! The `Stripe-Signature` header: a time, and an HMAC-SHA256 over the time and the raw body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::Timestamp;

/// The header for a body that is sent at `at`.
pub(crate) fn header(secret: &str, at: Timestamp, body: &[u8]) -> String {
    format!("t={at},v1={}", sign(secret, at, body))
}

fn sign(secret: &str, at: Timestamp, body: &[u8]) -> String {
    // HMAC takes keys of any length, so there is no error to tell of.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn the_header_is_what_openssl_computes() {
        // printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        assert_eq!(
            header("whsec_test", 1_492_774_577, br#"{"id":"evt_1"}"#),
            "t=1492774577,v1=7656fc2882a7ca0a651666b36bf2f2f22ee204f54f608f227498a2419f2890b2"
        );
    }
}
