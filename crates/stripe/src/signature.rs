//! Signatures of webhook deliveries: `Stripe-Signature: t=1700000000,v1=…,v1=…`.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use tenantry_domain::billing::provider::WebhookRefusal;

/// How far the time of signing may be from now, either way.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);
/// No provider sends longer headers.
const MAX_HEADER_BYTES: usize = 4096;
/// While secrets are rotated there are two; more than this is not looked at.
const MAX_SIGNATURES: usize = 16;
const SIGNATURE_BYTES: usize = 32;

/// Checks that somebody who knows one of the secrets signed exactly these bytes, not long ago.
///
/// # Errors
/// Why the delivery is not believed.
pub fn verify(
    body: &[u8],
    header: Option<&str>,
    secrets: &[SecretString],
    now: DateTime<Utc>,
) -> Result<(), WebhookRefusal> {
    if secrets.is_empty() {
        return Err(WebhookRefusal::NoSecret);
    }
    let header = header.ok_or(WebhookRefusal::SignatureMissing)?;
    let claimed = Claimed::read(header)?;
    // The signature first: who cannot sign does not learn what our clock shows.
    let mut matches = Choice::from(0);
    for secret in secrets {
        let Some(expected) = digest(secret, claimed.timestamp, body) else {
            continue;
        };
        for signature in &claimed.signatures {
            matches |= expected.ct_eq(signature);
        }
    }
    if !bool::from(matches) {
        return Err(WebhookRefusal::SignatureWrong);
    }
    let signed_at: i64 = claimed
        .timestamp
        .parse()
        .map_err(|_| WebhookRefusal::SignatureMalformed)?;
    let age = now
        .timestamp()
        .checked_sub(signed_at)
        .ok_or(WebhookRefusal::SignatureMalformed)?;
    if age > TOLERANCE.num_seconds() {
        Err(WebhookRefusal::SignatureStale)
    } else if age < -TOLERANCE.num_seconds() {
        Err(WebhookRefusal::SignatureFuture)
    } else {
        Ok(())
    }
}

/// The header that a delivery signed with this secret at this time carries. For tests and load generators.
#[must_use]
pub fn sign(body: &[u8], secret: &SecretString, at: DateTime<Utc>) -> String {
    let timestamp = at.timestamp().to_string();
    let signature = digest(secret, &timestamp, body).map(hex::encode).unwrap_or_default();
    format!("t={timestamp},v1={signature}")
}

struct Claimed<'h> {
    timestamp: &'h str,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl<'h> Claimed<'h> {
    fn read(header: &'h str) -> Result<Self, WebhookRefusal> {
        if header.len() > MAX_HEADER_BYTES {
            return Err(WebhookRefusal::SignatureMalformed);
        }
        let mut timestamp = None;
        let mut signatures = Vec::new();
        for (name, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
            match name {
                "t" if timestamp.is_none() => timestamp = Some(value),
                "v1" if signatures.len() < MAX_SIGNATURES => {
                    let mut signature = [0; SIGNATURE_BYTES];
                    // One that is not hexadecimal is as good as one that does not match.
                    if hex::decode_to_slice(value, &mut signature).is_ok() {
                        signatures.push(signature);
                    }
                }
                _ => {}
            }
        }
        let timestamp = timestamp
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or(WebhookRefusal::SignatureMalformed)?;
        if signatures.is_empty() {
            return Err(WebhookRefusal::SignatureMalformed);
        }
        Ok(Self { timestamp, signatures })
    }
}

/// HMAC takes a key of any length, so there always is one.
fn digest(secret: &SecretString, timestamp: &str, body: &[u8]) -> Option<[u8; SIGNATURE_BYTES]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn check(header: Option<&str>, secrets: &[&str], now: i64) -> Result<(), WebhookRefusal> {
        let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
        verify(BODY, header, &secrets, at(now))
    }

    #[test]
    fn a_known_signature_is_reproduced() {
        // Computed with `printf '1800000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_a`.
        let header = sign(BODY, &secret("whsec_a"), at(0));
        assert_eq!(
            header,
            "t=1800000000,v1=a55079840ea2399121b7cc9ddcc2d7f3eadb4e93e38ab7d315482aa8d4846852"
        );
    }

    #[test]
    fn signed_bytes_are_believed_within_the_tolerance() {
        let header = sign(BODY, &secret("whsec_a"), at(0));
        for now in [-300, 0, 300] {
            assert_eq!(check(Some(&header), &["whsec_a"], now), Ok(()));
        }
        assert_eq!(
            check(Some(&header), &["whsec_a"], 301),
            Err(WebhookRefusal::SignatureStale)
        );
        assert_eq!(
            check(Some(&header), &["whsec_a"], -301),
            Err(WebhookRefusal::SignatureFuture)
        );
    }

    #[test]
    fn other_bytes_and_other_secrets_are_not_believed() {
        let header = sign(b"{}", &secret("whsec_a"), at(0));
        assert_eq!(
            check(Some(&header), &["whsec_a"], 0),
            Err(WebhookRefusal::SignatureWrong)
        );
        let header = sign(BODY, &secret("whsec_b"), at(0));
        assert_eq!(
            check(Some(&header), &["whsec_a"], 0),
            Err(WebhookRefusal::SignatureWrong)
        );
        // Moving the time breaks the signature.
        let moved = header.replacen("t=1800000000", "t=1800000001", 1);
        assert_eq!(
            check(Some(&moved), &["whsec_b"], 0),
            Err(WebhookRefusal::SignatureWrong)
        );
        assert_eq!(check(Some(&header), &[], 0), Err(WebhookRefusal::NoSecret));
    }

    #[test]
    fn secrets_rotate_without_a_gap() {
        let old = sign(BODY, &secret("whsec_old"), at(0));
        let new = sign(BODY, &secret("whsec_new"), at(0));
        for header in [&old, &new] {
            assert_eq!(check(Some(header), &["whsec_old", "whsec_new"], 0), Ok(()));
        }
        // Stripe signs with both while it rotates; we may know only one of them.
        let both = format!("{old},{},v0=ignored", new.split_once(',').unwrap().1);
        assert_eq!(check(Some(&both), &["whsec_new"], 0), Ok(()));
    }

    #[test]
    fn malformed_headers_are_refused() {
        assert_eq!(check(None, &["whsec_a"], 0), Err(WebhookRefusal::SignatureMissing));
        let long = format!("t=1,v1={}", "a".repeat(5000));
        for header in [
            "",
            "t=,v1=00",
            "t=1",
            "v1=00",
            "t=-1,v1=00",
            "t=1,v1=xyz",
            "nonsense",
            long.as_str(),
        ] {
            assert_eq!(
                check(Some(header), &["whsec_a"], 0),
                Err(WebhookRefusal::SignatureMalformed),
                "{header}"
            );
        }
        let many = format!("t=1800000000{}", ",v1=00".repeat(100));
        assert!(check(Some(&many), &["whsec_a"], 0).is_err());
        let huge = format!("t=99999999999999999999,v1={}", "0".repeat(64));
        assert!(check(Some(&huge), &["whsec_a"], 0).is_err());
    }
}
