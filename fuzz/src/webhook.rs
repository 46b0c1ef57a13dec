//! The signature of a payment provider's delivery: the first line of the input is the header, the rest the body.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tenantry_stripe::{TOLERANCE, sign, verify};

/// When the deliveries of the corpus were signed.
const SIGNED_AT_SECS: i64 = 1_800_000_000;

pub(crate) fn run(data: &[u8]) {
    let (header, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &b""[..]),
    };
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let secrets = [SecretString::from("whsec_old"), SecretString::from("whsec_new")];
    let now = DateTime::<Utc>::from_timestamp(SIGNED_AT_SECS, 0).unwrap();
    if verify(body, Some(header), &secrets, now).is_ok() {
        let tolerance = TOLERANCE.num_seconds();
        let known = (SIGNED_AT_SECS - tolerance..=SIGNED_AT_SECS + tolerance).any(|at| {
            let at = DateTime::from_timestamp(at, 0).unwrap();
            secrets.iter().any(|secret| {
                let expected = sign(body, secret, at);
                expected.split(',').nth(1).is_some_and(|signature| {
                    header
                        .to_ascii_lowercase()
                        .contains(signature.trim_start_matches("v1="))
                })
            })
        });
        assert!(known, "believed, and nobody signed it");
        let bent = [body, b" "].concat();
        assert!(
            verify(&bent, Some(header), &secrets, now).is_err(),
            "believed with another body"
        );
    }
    assert!(
        verify(body, Some(header), &[], now).is_err(),
        "believed without a secret"
    );
}
