//! An operator looks through a customer's eyes: shortly, without touching anything, and for a reason that the customer
//! will read.

use std::fmt;

use chrono::TimeDelta;

use crate::display_name::is_forbidden;

/// How long one look lasts, however much it is used.
pub const DURATION: TimeDelta = TimeDelta::minutes(30);
/// Unicode scalar values that a reason may have.
pub const MAX_REASON_CHARS: usize = 500;

/// Why an operator looks: 1 to 500 characters in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// Nothing but white space.
    #[error("say why; the customer reads it")]
    Empty,
    /// Too many characters.
    #[error("use at most {MAX_REASON_CHARS} characters")]
    TooLong,
    /// A line break, an escape, or a mark that turns the direction of text around.
    #[error("remove line breaks and invisible control characters")]
    ControlCharacter,
}

impl InvalidReason {
    /// The stable code of this failure.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
        }
    }
}

impl Reason {
    /// Takes a reason as somebody typed it; white space around it is dropped.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidReason> {
        let text = text.trim();
        if text.is_empty() {
            Err(InvalidReason::Empty)
        } else if text.chars().count() > MAX_REASON_CHARS {
            Err(InvalidReason::TooLong)
        } else if text.chars().any(is_forbidden) {
            Err(InvalidReason::ControlCharacter)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_somebody_can_read() {
        assert_eq!(
            Reason::parse(" Ticket 4711: the invoice is missing ").unwrap().as_str(),
            "Ticket 4711: the invoice is missing"
        );
        assert_eq!(Reason::parse(" \n "), Err(InvalidReason::Empty));
        assert_eq!(Reason::parse(&"a".repeat(501)), Err(InvalidReason::TooLong));
        assert!(Reason::parse(&"é".repeat(500)).is_ok());
        for text in ["a\nb", "a\u{202e}b", "a\u{1b}[31mb"] {
            assert_eq!(Reason::parse(text), Err(InvalidReason::ControlCharacter), "{text:?}");
        }
    }
}
