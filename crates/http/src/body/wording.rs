//! What the validator's rules say: a stable code and words for a person, kept apart by a bar.

use std::{borrow::Cow, fmt::Display};

use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind};

type Text = Cow<'static, str>;

/// A rule of our own reports like this.
pub(crate) fn coded(code: &str, detail: impl Display) -> garde::Error {
    garde::Error::new(format!("{code}|{}", sentence(&detail.to_string())))
}

/// Domain errors are phrases; a field's message is a sentence.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// The code and the words.
pub(super) fn split(message: &str) -> (&str, &str) {
    message.split_once('|').unwrap_or(("invalid_value", message))
}

/// The rules' messages in that form.
pub(super) struct Coded;

impl I18n for Coded {
    fn length_lower_than(&self, min: usize) -> Text {
        if min == 1 {
            "required|This value is required.".into()
        } else {
            format!("too_short|Use at least {min} characters.").into()
        }
    }

    fn length_greater_than(&self, max: usize) -> Text {
        format!("too_long|Use at most {max} characters.").into()
    }

    fn range_lower_than(&self, min: &dyn Display) -> Text {
        format!("too_small|Use {min} or more.").into()
    }

    fn range_greater_than(&self, max: &dyn Display) -> Text {
        format!("too_large|Use {max} or less.").into()
    }

    fn credit_card_invalid(&self, _: InvalidCreditCard) -> Text {
        "invalid_value|This is no card number.".into()
    }

    fn pattern_no_match(&self, _: &dyn Display) -> Text {
        "invalid_format|This value does not have the expected form.".into()
    }

    fn contains_missing(&self, pattern: &dyn Display) -> Text {
        format!("invalid_format|This value must contain {pattern}.").into()
    }

    fn url_invalid(&self, _: InvalidUrl) -> Text {
        "url_invalid|Enter an address such as https://example.org.".into()
    }

    fn prefix_missing(&self, pattern: &dyn Display) -> Text {
        format!("invalid_format|This value must begin with {pattern}.").into()
    }

    fn suffix_missing(&self, pattern: &dyn Display) -> Text {
        format!("invalid_format|This value must end with {pattern}.").into()
    }

    fn phone_number_invalid(&self, _: InvalidPhoneNumber) -> Text {
        "invalid_value|This is no telephone number.".into()
    }

    fn ip_invalid(&self, _: IpKind) -> Text {
        "invalid_value|This is no IP address.".into()
    }

    fn matches_field_mismatch(&self, field: &dyn Display) -> Text {
        format!("mismatch|This value differs from {field}.").into()
    }

    fn email_invalid(&self, _: InvalidEmail) -> Text {
        "email_invalid|Enter an address of the form name@example.org.".into()
    }

    fn ascii_invalid(&self) -> Text {
        "invalid_format|Use plain ASCII characters.".into()
    }

    fn alphanumeric_invalid(&self) -> Text {
        "invalid_format|Use letters and digits only.".into()
    }

    fn required_not_set(&self) -> Text {
        "required|This value is required.".into()
    }
}
