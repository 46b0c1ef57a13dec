//! What people call themselves and their organizations.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Unicode scalar values that a name may have.
pub const MAX_CHARS: usize = 200;

/// A name for people to read: 1 to 200 characters of any script, emoji included, in normal form C, without control
/// characters and without the invisible ones that change the direction of what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing but white space.
    #[error("enter a name")]
    Empty,
    /// Too many characters.
    #[error("use at most {MAX_CHARS} characters")]
    TooLong,
    /// A line break, an escape, or a mark that turns the direction of text around.
    #[error("remove line breaks and invisible control characters")]
    ControlCharacter,
}

impl InvalidName {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
        }
    }
}

impl DisplayName {
    /// Takes a text as somebody typed it: white space around it is dropped, runs of it inside become one space.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        // Bounds the work below; normal form C never shrinks a text to less than a third.
        if text.len() > MAX_CHARS * 16 {
            return Err(InvalidName::TooLong);
        }
        if text.trim().chars().any(is_forbidden) {
            return Err(InvalidName::ControlCharacter);
        }
        let normalized: String = text.nfc().collect();
        let name = normalized.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.chars().count() {
            0 => Err(InvalidName::Empty),
            1..=MAX_CHARS => Ok(Self(name)),
            _ => Err(InvalidName::TooLong),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Control characters, and the explicit direction marks with which one name can be made to look like another. Letters
/// of right-to-left scripts need none of them.
pub(crate) fn is_forbidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_world_are_names() {
        for name in [
            r#""; {{ x }}"#,
            "متحف الأمثلة",
            "Łódź & Söhne",
            "博物館",
            "O’Neill <b>",
            "👩🏽‍🚀 Crew",
            "\u{200f}א",
        ] {
            assert_eq!(
                DisplayName::parse(name).map(|name| name.to_string()),
                Ok(name.to_owned()),
                "{name}"
            );
        }
        assert!(DisplayName::parse(&"🏛".repeat(200)).is_ok());
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        assert_eq!(DisplayName::parse(" \t "), Err(InvalidName::Empty));
        assert_eq!(DisplayName::parse(&"🏛".repeat(201)), Err(InvalidName::TooLong));
        assert_eq!(DisplayName::parse(&"a".repeat(10_000)), Err(InvalidName::TooLong));
        for name in ["a\nb", "a\u{0}b", "a\u{202e}b", "a\u{1b}[31mb"] {
            assert_eq!(DisplayName::parse(name), Err(InvalidName::ControlCharacter), "{name:?}");
        }
    }

    #[test]
    fn white_space_is_tidied_and_accents_composed() {
        assert_eq!(
            DisplayName::parse("  Cafe\u{301}   of  Examples ").unwrap().as_str(),
            "Café of Examples"
        );
    }
}
