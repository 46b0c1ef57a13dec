//! The name that a customer chooses for a tenant: one label of a host name.

use std::fmt;

use serde::{Serialize, Serializer};

mod reserved;

/// Shortest and longest name, in the form that DNS sees.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;
/// Suggestions leave room for a number that makes them unique.
const SUGGESTION_LENGTH: usize = 40;

/// A valid, lower-case DNS label in its ASCII form that is not reserved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostLabel(String);

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Fewer than three characters.
    #[error("use at least 3 characters")]
    TooShort,
    /// More than DNS allows for a label.
    #[error("use at most 63 characters")]
    TooLong,
    /// Something other than letters, digits and hyphens, or a hyphen where none may stand.
    #[error("use letters, digits and hyphens, beginning and ending with a letter or digit")]
    Characters,
    /// Kept for the service itself, or easily mistaken for such a name.
    #[error("{reserved:?} is kept for the service itself; choose another name")]
    Reserved {
        /// The reserved word.
        reserved: &'static str,
    },
}

impl NameError {
    /// Stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort | Self::TooLong | Self::Characters => "name_invalid",
            Self::Reserved { .. } => "name_reserved",
        }
    }
}

impl HostLabel {
    /// Takes a name as a person types it. Upper case becomes lower case, other scripts become punycode.
    ///
    /// # Errors
    /// When it is no host label, or reserved, or looks like a reserved word.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        // Longer than any label can become shorter by conversion; and work on bounded input only.
        if text.len() > 4 * LENGTHS.end() {
            return Err(NameError::TooLong);
        }
        if text.contains('.') {
            return Err(NameError::Characters);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::STD3)
            .map_err(|_| NameError::Characters)?
            .into_owned();
        if ascii.len() < *LENGTHS.start() {
            return Err(NameError::TooShort);
        }
        if ascii.len() > *LENGTHS.end() {
            return Err(NameError::TooLong);
        }
        if idna::domain_to_unicode(&ascii).0.chars().any(is_symbol) {
            return Err(NameError::Characters);
        }
        let plain = ascii
            .bytes()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-');
        let misplaced = ascii.starts_with('-')
            || ascii.ends_with('-')
            || (ascii.get(2..4) == Some("--") && !ascii.starts_with("xn--"));
        if !plain || misplaced {
            return Err(NameError::Characters);
        }
        if let Some(reserved) = reserved::resembled(&ascii) {
            return Err(NameError::Reserved { reserved });
        }
        Ok(Self(ascii))
    }

    /// A name for someone who has not chosen one: from the organization's name where that gives one, else from
    /// `fallback`, which must hold a few ASCII letters or digits (of an id).
    #[must_use]
    pub fn suggest(organization_name: &str, fallback: &str) -> Self {
        let readable = Self::parse(&slug(organization_name));
        let kept = readable.or_else(|error| match error {
            NameError::Reserved { .. } => Self::parse(&format!("{}-site", slug(organization_name))),
            other => Err(other),
        });
        kept.or_else(|_| Self::parse(&format!("site-{}", slug(fallback))))
            .unwrap_or_else(|_| Self("site-without-name".to_owned()))
    }

    /// The name with a number behind it, for when it is taken: `museum`, `museum-2`, `museum-3`.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let ending = format!("-{number}");
        let base = if self.0.starts_with("xn--") { "site" } else { &self.0 };
        let kept = base.get(..base.len().min(LENGTHS.end() - ending.len())).unwrap_or(base);
        Self(format!("{}{ending}", kept.trim_end_matches('-')))
    }

    /// The label as DNS sees it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for HostLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Arrows, dingbats and emoji, which the rules of host names let through and nobody can type.
fn is_symbol(letter: char) -> bool {
    matches!(letter, '\u{200d}' | '\u{2190}'..='\u{2bff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Lower-case ASCII letters and digits with single hyphens between them; may be empty.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().take(400) {
        if slug.len() >= SUGGESTION_LENGTH {
            break;
        }
        match letter.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9') => slug.push(plain),
            other => match reserved::without_accent(other) {
                Some(replacement) => slug.push_str(replacement),
                None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                None => {}
            },
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, NameError> {
        HostLabel::parse(text).map(|label| label.0)
    }

    #[test]
    fn names_become_lower_case_punycode() {
        assert_eq!(parsed("Museum-of-Examples"), Ok("museum-of-examples".to_owned()));
        assert_eq!(parsed("müzeum"), Ok("xn--mzeum-kva".to_owned()));
        assert_eq!(parsed("xn--mzeum-kva"), Ok("xn--mzeum-kva".to_owned()));
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for text in [
            "-abc", "abc-", "a b c", "a.b", "a_bc", "ab--cd", "xn--0", "ab\u{0}c", "{{ x }}", "a/b/c", "<a>b", "😀😀",
            "xn--e28h", "a→b",
        ] {
            assert_eq!(parsed(text), Err(NameError::Characters), "{text}");
        }
        assert_eq!(parsed("ab"), Err(NameError::TooShort));
        assert_eq!(parsed(&"a".repeat(64)), Err(NameError::TooLong));
        assert_eq!(parsed(&"a".repeat(100_000)), Err(NameError::TooLong));
        assert!(parsed("").is_err());
    }

    #[test]
    fn reserved_words_and_their_look_alikes_are_refused() {
        for text in [
            "www",
            "API",
            "admin",
            "adm1n",
            "4dmin",
            "ad-min",
            "tenantry",
            "tenаntry",
            "l0gin",
            "lοgin",
            "bi11ing",
            "аpi",
        ] {
            assert!(matches!(parsed(text), Err(NameError::Reserved { .. })), "{text}");
        }
        for text in ["administrative-history", "apiary", "museum", "www2-history"] {
            assert!(parsed(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn any_organization_gets_a_valid_suggestion() {
        let suggested = |name: &str| HostLabel::suggest(name, "01jd3r8v").0;
        assert_eq!(suggested("Museum of Examples"), "museum-of-examples");
        assert_eq!(suggested("Müzeum Ålesund & Søn"), "muzeum-alesund-son");
        assert_eq!(suggested("\"; {{ x }}"), "site-01jd3r8v");
        assert_eq!(suggested(&"😀".repeat(200)), "site-01jd3r8v");
        assert_eq!(suggested("Admin"), "admin-site");
        assert_eq!(suggested("博物館"), "site-01jd3r8v");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        assert_eq!(HostLabel::parse("museum").unwrap().numbered(2).0, "museum-2");
        assert_eq!(HostLabel::parse(&"a".repeat(63)).unwrap().numbered(12).0.len(), 63);
    }

    proptest::proptest! {
        #[test]
        fn every_suggestion_is_a_valid_name(name: String) {
            let suggestion = HostLabel::suggest(&name, "01jd3r8v");
            proptest::prop_assert_eq!(HostLabel::parse(suggestion.as_str()), Ok(suggestion));
        }

        #[test]
        fn parsing_never_changes_a_valid_name(name: String) {
            if let Ok(label) = HostLabel::parse(&name) {
                proptest::prop_assert_eq!(HostLabel::parse(label.as_str()), Ok(label));
            }
        }
    }
}
