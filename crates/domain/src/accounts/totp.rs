//! Codes that change every thirty seconds (RFC 6238), as authenticator apps show them. Six digits and SHA-1, since that is
//! all that many of these apps know; a collision of hashes is of no use against an HMAC.

use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// 160 bits, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
/// How long one code is shown.
pub const STEP_SECS: u64 = 30;
/// How many steps a clock may be off, in either direction.
const SKEW_STEPS: u16 = 1;

/// Names that an app cannot show beside a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an authenticator app takes names without a colon, and none that is empty")]
pub struct InvalidLabel;

/// What server and authenticator app share.
pub struct TotpSecret(SecretBox<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// Takes random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads the form that [`TotpSecret::base32`] gives; `None` for anything else.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        <[u8; SECRET_BYTES]>::try_from(secret.as_ref())
            .ok()
            .map(Self::from_random)
    }

    /// The form in which people type it into an app.
    #[must_use]
    pub fn base32(&self) -> SecretString {
        Secret::from(*self.0.expose_secret()).to_base32().into()
    }

    /// The address that an app reads from a QR code. `issuer` and `account` are what it shows beside the code.
    ///
    /// # Errors
    /// When one of them holds a colon, or the account is empty.
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> Result<SecretString, InvalidLabel> {
        let totp = self
            .builder()
            .with_issuer(Some(issuer))
            .with_account_name(account)
            .build();
        totp.and_then(|totp| totp.to_url())
            .map(SecretString::from)
            .map_err(|_| InvalidLabel)
    }

    /// The code at a moment.
    #[must_use]
    pub fn code_at(&self, at: DateTime<Utc>) -> String {
        self.totp().generate(seconds(at)).to_string()
    }

    /// The step whose code this is, if that is the present one or a neighbour: clocks are never quite right. A step must
    /// be taken once only, which is for the caller to see to.
    #[must_use]
    pub fn matching_step(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let step = self.totp().check(code, seconds(now))?;
        i64::try_from(step).ok()
    }

    /// The secret itself, to derive others from.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    fn totp(&self) -> Totp {
        // Every value is one that the standard allows.
        self.builder().build_noncompliant()
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP_SECS)
            .with_skew(SKEW_STEPS)
            .with_secret(*self.0.expose_secret())
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// A clock from before 1970 shows the first code of all.
fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn rfc_secret() -> TotpSecret {
        TotpSecret::from_random(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, of whose eight digits these are the last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc_secret().code_at(at(seconds)), code);
        }
    }

    #[test]
    fn a_code_is_good_for_its_step_and_the_two_beside_it() {
        let secret = rfc_secret();
        let now = at(1_000_000_000);
        let step = 1_000_000_000 / 30;
        for (offset, expected) in [
            (-60, None),
            (-30, Some(step - 1)),
            (0, Some(step)),
            (30, Some(step + 1)),
            (60, None),
        ] {
            let code = secret.code_at(now + TimeDelta::seconds(offset));
            assert_eq!(secret.matching_step(&code, now), expected, "{offset}");
        }
        for nothing in ["", "12345", "1234567", "abcdef", "+12345"] {
            assert_eq!(secret.matching_step(nothing, now), None, "{nothing}");
        }
        assert_eq!(
            secret.matching_step("755224", at(-5)),
            Some(0),
            "a clock before 1970 breaks nothing"
        );
    }

    #[test]
    fn the_secret_reads_back_and_is_shown_to_nobody() {
        let secret = rfc_secret();
        let text = secret.base32();
        assert_eq!(text.expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let read = TotpSecret::from_base32(text.expose_secret()).unwrap();
        assert_eq!(read.expose(), secret.expose());
        assert!(TotpSecret::from_base32("GEZDGNBV").is_none());
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
        let uri = secret.otpauth_uri("Tenantry", "ada@example.org").unwrap();
        assert_eq!(
            uri.expose_secret(),
            "otpauth://totp/Tenantry:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tenantry"
        );
    }
}
