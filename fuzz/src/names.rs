//! Texts that are kept in one form: addresses, names, languages, time zones, identifiers.

use std::{fmt::Display, str::FromStr};

use tenantry_domain::{
    accounts::{Email, Locale, TimeZone},
    display_name::DisplayName,
    ids::{OrganizationId, SessionId, TenantId, UserId},
};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(email) = Email::parse(text) {
        let kept = email.as_str();
        assert!(kept.is_ascii() && kept.len() <= 254, "{kept}");
        assert!(
            !kept.bytes().any(|byte| byte.is_ascii_control() || byte == b' '),
            "{kept:?}"
        );
        assert_eq!(Email::parse(kept).as_ref(), Ok(&email));
    }
    if let Ok(name) = DisplayName::parse(text) {
        let kept = name.as_str();
        assert!(
            (1..=200).contains(&kept.chars().count()) && !kept.chars().any(char::is_control),
            "{kept:?}"
        );
        assert_eq!(DisplayName::parse(kept).as_ref(), Ok(&name));
    }
    if let Ok(locale) = Locale::parse(text) {
        assert_eq!(Locale::parse(locale.as_str()).as_ref(), Ok(&locale));
    }
    if let Ok(time_zone) = TimeZone::parse(text) {
        assert_eq!(TimeZone::parse(time_zone.as_str()).as_ref(), Ok(&time_zone));
    }
    identifier::<OrganizationId>(text);
    identifier::<SessionId>(text);
    identifier::<TenantId>(text);
    identifier::<UserId>(text);
}

/// An identifier has one text form.
fn identifier<I: FromStr + Display>(text: &str) {
    if let Ok(id) = text.parse::<I>() {
        assert_eq!(id.to_string(), text);
    }
}
