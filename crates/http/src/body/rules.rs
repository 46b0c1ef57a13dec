//! The domain's own rules, for fields of requests: what is checked here is exactly what the domain takes.

use secrecy::SecretString;
use tenantry_domain::{
    accounts::{Email, EnteredCode, Locale, Password, TimeZone, impersonation::Reason},
    display_name::DisplayName,
};

use super::wording::coded;

/// An address that mail can be sent to.
pub(crate) fn email(value: impl AsRef<str>, _: &()) -> garde::Result {
    Email::parse(value.as_ref())
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// What a person or an organization is called.
pub(crate) fn display_name(value: impl AsRef<str>, _: &()) -> garde::Result {
    DisplayName::parse(value.as_ref())
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// A language tag.
pub(crate) fn locale(value: impl AsRef<str>, _: &()) -> garde::Result {
    Locale::parse(value.as_ref())
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// A time zone that exists.
pub(crate) fn time_zone(value: impl AsRef<str>, _: &()) -> garde::Result {
    TimeZone::parse(value.as_ref())
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// A password that somebody chooses.
pub(crate) fn new_password(value: &SecretString, _: &()) -> garde::Result {
    Password::choose(value)
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// A password that somebody enters.
pub(crate) fn password(value: &SecretString, _: &()) -> garde::Result {
    Password::enter(value)
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// Why an operator looks through a customer's eyes.
pub(crate) fn impersonation_reason(value: impl AsRef<str>, _: &()) -> garde::Result {
    Reason::parse(value.as_ref())
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}

/// A code of a second factor.
pub(crate) fn second_factor_code(value: &SecretString, _: &()) -> garde::Result {
    EnteredCode::parse(value)
        .map(drop)
        .map_err(|error| coded(error.code(), error))
}
