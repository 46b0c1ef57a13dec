//! The language that a person reads: a tag of BCP 47.

use std::fmt;

/// No tag in use is longer.
pub const MAX_CHARS: usize = 35;

/// A well-formed language tag in its usual spelling: `en`, `de-AT`, `zh-Hant-TW`. Which languages there are texts for is
/// the interface's business, and grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale(String);

/// A text that is no language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use a language tag such as en or de-AT")]
pub struct InvalidLocale;

impl InvalidLocale {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        "locale_invalid"
    }
}

impl Locale {
    /// Takes a tag in any case: a language of two or three letters, then subtags of one to eight letters and digits.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn parse(text: &str) -> Result<Self, InvalidLocale> {
        let text = text.trim();
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let is_language =
            matches!(language.len(), 2 | 3) && language.bytes().all(|letter| letter.is_ascii_alphabetic());
        if text.len() > MAX_CHARS || !is_language {
            return Err(InvalidLocale);
        }
        let mut tag = language.to_ascii_lowercase();
        for part in parts {
            if !(1..=8).contains(&part.len()) || !part.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
                return Err(InvalidLocale);
            }
            tag.push('-');
            tag.push_str(&usual_spelling(part));
        }
        Ok(Self(tag))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Regions are written in capitals, scripts with one, everything else small.
fn usual_spelling(part: &str) -> String {
    let is_word = part.bytes().all(|letter| letter.is_ascii_alphabetic());
    match (part.len(), is_word) {
        (2, true) => part.to_ascii_uppercase(),
        (4, true) => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_out_in_their_usual_spelling() {
        for (typed, tag) in [
            ("en", "en"),
            (" DE-at ", "de-AT"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("ca-ES-valencia", "ca-ES-valencia"),
        ] {
            assert_eq!(
                Locale::parse(typed).map(|tag| tag.to_string()),
                Ok(tag.to_owned()),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for typed in [
            "",
            "e",
            "english",
            "en_GB",
            "en-",
            "-en",
            "en--GB",
            "en-é",
            "1n",
            &"en-a".repeat(10),
        ] {
            assert_eq!(Locale::parse(typed), Err(InvalidLocale), "{typed:?}");
        }
    }
}
