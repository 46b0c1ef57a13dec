//! What is asked for beside a password: a code of an authenticator app, or one of the codes kept for its loss.

use std::fmt;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::RecoveryCode;
use crate::ids::{OperatorId, UserId};

/// How long a second factor may take after the password.
pub const CHALLENGE_LASTS: TimeDelta = TimeDelta::minutes(5);
/// Wrong codes until the password is asked for again.
pub const CHALLENGE_TRIES: i32 = 5;
/// How long a secret that was handed out waits for its app's first code.
pub const SETUP_LASTS: TimeDelta = TimeDelta::minutes(10);
const TOTP_DIGITS: usize = 6;

/// Whose second factor: customers and operators have one each, in tables of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorHolder {
    /// A customer.
    User(UserId),
    /// A person who runs this installation.
    Operator(OperatorId),
}

impl FactorHolder {
    /// The id as the database holds it.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Operator(id) => id.uuid(),
        }
    }
}

impl fmt::Display for FactorHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Operator(id) => id.fmt(f),
        }
    }
}

/// A way to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorMethod {
    /// A code of an authenticator app.
    Totp,
    /// A code from paper.
    RecoveryCode,
}

impl SecondFactorMethod {
    /// The name that is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// A code as somebody entered it: six digits are an app's, everything else is from paper.
#[derive(Debug, Clone)]
pub enum EnteredCode {
    /// Six digits.
    Totp(SecretString),
    /// A recovery code.
    Recovery(RecoveryCode),
}

/// A text that is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("enter the six digits that your app shows, or one of your recovery codes")]
pub struct InvalidCode;

impl InvalidCode {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        "code_malformed"
    }
}

impl EnteredCode {
    /// Takes a code as somebody typed it; apps show a blank in the middle.
    ///
    /// # Errors
    /// When it can be neither.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidCode> {
        let text = text.expose_secret();
        let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        if digits.len() == TOTP_DIGITS && digits.bytes().all(|letter| letter.is_ascii_digit()) {
            return Ok(Self::Totp(digits.into()));
        }
        RecoveryCode::parse(text).map(Self::Recovery).ok_or(InvalidCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_an_apps_and_ten_letters_from_paper() {
        let parse = |text: &str| EnteredCode::parse(&text.into());
        assert!(matches!(parse("123 456"), Ok(EnteredCode::Totp(code)) if code.expose_secret() == "123456"));
        assert!(matches!(parse("01231-amyzz"), Ok(EnteredCode::Recovery(_))));
        for nothing in ["", "12345", "1234567", "١٢٣٤٥٦", "01231-amyz"] {
            assert!(parse(nothing).is_err(), "{nothing}");
        }
    }
}
