//! Codes on paper, for when the authenticator app is lost: each opens the door once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// How many a person is given at once.
pub const RECOVERY_CODES: usize = 10;
/// Random bytes that one is made of; five bits of each are used.
pub const RANDOM_BYTES: usize = 10;

/// Crockford's: without letters that look like others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Fifty random bits as ten letters and digits, in normal form.
#[derive(Clone)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// One made of random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; RANDOM_BYTES]) -> Self {
        let text: String = bytes
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
            .collect();
        Self(text.into())
    }

    /// Reads one as somebody typed it from paper: in either case, with or without hyphen and blanks, with an O for a zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: Option<String> = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| match letter.to_ascii_lowercase() {
                'o' => Some('0'),
                'i' | 'l' => Some('1'),
                letter if letter.is_ascii() && LETTERS.contains(&(letter as u8)) => Some(letter),
                _ => None,
            })
            .collect();
        letters
            .filter(|letters| letters.len() == RANDOM_BYTES)
            .map(|letters| Self(letters.into()))
    }

    /// The normal form, to be hashed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The form that is shown, once: two halves with a hyphen.
    #[must_use]
    pub fn show(&self) -> String {
        let (front, back) = self.expose().split_at(RANDOM_BYTES / 2);
        format!("{front}-{back}")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = RecoveryCode::from_random([0, 1, 2, 3, 33, 10, 20, 30, 31, 255]);
        assert_eq!(code.show(), "01231-amyzz");
        for typed in ["01231-amyzz", " OI23L AMYZZ ", "o123iamyzz"] {
            assert_eq!(RecoveryCode::parse(typed).unwrap().expose(), "01231amyzz", "{typed}");
        }
        for nothing in ["", "01231-amyz", "01231-amyzzz", "01231-amyzu", "01231-amyzé", "123456"] {
            assert!(RecoveryCode::parse(nothing).is_none(), "{nothing}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }
}
