//! Addresses, in the one form that is compared and stored.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest address that mail servers take, in bytes.
pub const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

/// An address in normal form: lower case, its domain as DNS knows it (`münchen.de` is `xn--mnchen-3ya.de`). What stands
/// before the `@` is kept as it is otherwise: `ada+news@example.org` is another address than `ada@example.org`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is no address that mail can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Longer than mail servers take.
    #[error("an e-mail address has at most {MAX_BYTES} characters")]
    TooLong,
    /// No `@`, or several, or nothing on one side of it.
    #[error("enter an address of the form name@example.org")]
    NotAnAddress,
    /// Letters before the `@` that many mail servers refuse, or a quoted form.
    #[error("use letters, digits and . _ + - before the @; quotes, spaces and other alphabets are not supported there")]
    UnsupportedLocalPart,
    /// What stands after the `@` is no domain.
    #[error("the part after the @ is not a domain such as example.org")]
    NotADomain,
}

impl InvalidEmail {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAnAddress => "email_invalid",
            Self::UnsupportedLocalPart => "email_local_part_unsupported",
            Self::NotADomain => "email_domain_invalid",
        }
    }
}

impl Email {
    /// Takes an address as somebody typed it.
    ///
    /// # Errors
    /// Says which part of it is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        // From the right: a quoted local part may hold an @ of its own, and then it is the local part that is at fault.
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::NotAnAddress)?;
        if local.is_empty() || domain.is_empty() {
            return Err(InvalidEmail::NotAnAddress);
        }
        if !local.starts_with('"') && local.contains('@') {
            return Err(InvalidEmail::NotAnAddress);
        }
        if local.len() > MAX_LOCAL_BYTES || !is_dot_atom(local) {
            return Err(InvalidEmail::UnsupportedLocalPart);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail::NotADomain)?;
        if !is_mail_domain(&domain) {
            return Err(InvalidEmail::NotADomain);
        }
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if address.len() > MAX_BYTES {
            Err(InvalidEmail::TooLong)
        } else {
            Ok(Self(address))
        }
    }

    /// The address in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The unquoted form of RFC 5322: runs of the allowed letters, single dots between them.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|run| {
        !run.is_empty()
            && run
                .bytes()
                .all(|letter| letter.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&letter))
    })
}

/// At least two labels, the last one not a number: mail to an address literal or a bare host is not for people.
fn is_mail_domain(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(name, last)| {
        !name.is_empty() && !last.is_empty() && !last.bytes().all(|letter| letter.is_ascii_digit())
    })
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;

    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_out_in_one_form() {
        for (typed, normal) in [
            (" Ada.Lovelace@Example.ORG ", "ada.lovelace@example.org"),
            ("ada+museum@example.org", "ada+museum@example.org"),
            ("ada@MÜNCHEN.de", "ada@xn--mnchen-3ya.de"),
            ("o'neill@sub.example.museum", "o'neill@sub.example.museum"),
        ] {
            assert_eq!(Email::parse(typed).map(String::from), Ok(normal.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let long = format!("{}@example.org", "a".repeat(255));
        for (typed, reason) in [
            ("", InvalidEmail::NotAnAddress),
            ("ada", InvalidEmail::NotAnAddress),
            ("@example.org", InvalidEmail::NotAnAddress),
            ("ada@b@example.org", InvalidEmail::NotAnAddress),
            (r#""ada @ home"@example.org"#, InvalidEmail::UnsupportedLocalPart),
            ("ада@example.org", InvalidEmail::UnsupportedLocalPart),
            ("ada..b@example.org", InvalidEmail::UnsupportedLocalPart),
            ("ada\r\nBcc: x@example.org", InvalidEmail::UnsupportedLocalPart),
            ("ada@localhost", InvalidEmail::NotADomain),
            ("ada@exa mple.org", InvalidEmail::NotADomain),
            ("ada@example.org\r\nBcc:x", InvalidEmail::NotADomain),
            ("ada@127.0.0.1", InvalidEmail::NotADomain),
            ("ada@-example.org", InvalidEmail::NotADomain),
            (long.as_str(), InvalidEmail::TooLong),
        ] {
            assert_eq!(Email::parse(typed), Err(reason), "{typed:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_normal_form_is_its_own(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                proptest::prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }
    }
}
