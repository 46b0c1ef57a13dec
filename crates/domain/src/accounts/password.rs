//! Passwords as people choose them: what may be one, apart from how it is hashed.

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// Fewer characters are guessed too soon.
pub const MIN_CHARS: usize = 10;
/// More bytes would only keep the hash busy.
pub const MAX_BYTES: usize = 1024;

/// A password in normal form C: the same keys on two machines give the same bytes.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// Why a text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Guessed too soon.
    #[error("use at least {MIN_CHARS} characters")]
    TooShort,
    /// Nobody types this.
    #[error("use at most {MAX_BYTES} bytes")]
    TooLong,
}

impl InvalidPassword {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
        }
    }
}

impl Password {
    /// A password that somebody chooses. Whether it is easily guessed is another question.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn choose(text: &SecretString) -> Result<Self, InvalidPassword> {
        let password = Self::enter(text)?;
        if password.expose().chars().count() < MIN_CHARS {
            Err(InvalidPassword::TooShort)
        } else {
            Ok(password)
        }
    }

    /// A password that somebody enters to sign in: of any length that could ever have been chosen, so that an old, shorter
    /// rule locks nobody out.
    ///
    /// # Errors
    /// When it is longer than any password.
    pub fn enter(text: &SecretString) -> Result<Self, InvalidPassword> {
        if text.expose_secret().len() > MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        let normalized: String = text.expose_secret().nfc().collect();
        if normalized.len() > MAX_BYTES {
            Err(InvalidPassword::TooLong)
        } else {
            Ok(Self(normalized.into()))
        }
    }

    /// The password in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<String, InvalidPassword> {
        Password::choose(&text.into()).map(|password| password.expose().to_owned())
    }

    #[test]
    fn length_is_counted_in_characters_below_and_bytes_above() {
        assert_eq!(choose("123456789"), Err(InvalidPassword::TooShort));
        assert!(choose("пароль пароль").is_ok());
        assert!(choose(&"a".repeat(1024)).is_ok());
        assert_eq!(choose(&"a".repeat(1025)), Err(InvalidPassword::TooLong));
        assert_eq!(choose(&"🔑".repeat(257)), Err(InvalidPassword::TooLong));
    }

    #[test]
    fn two_ways_to_type_an_accent_are_one_password() {
        assert_eq!(choose("cafe\u{301} au lait"), choose("café au lait"));
    }
}
