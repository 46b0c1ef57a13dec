//! The cookies that carry sessions, and the one by which a browser is known. All are `__Host-`: no other host, and no
//! tenant's page, can set or read them.

use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, header};
use tenantry_app::accounts::OpaqueToken;

/// What a cookie carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionCookie {
    /// A user's session.
    User,
    /// An operator's session.
    Operator,
    /// No session: by what a browser is known from which somebody signed in. It outlasts signing out.
    Device,
    /// No session: by what a browser is known from which an operator signed in.
    OperatorDevice,
    /// No session: by what the browser is known that signed up, until the link in the mail is confirmed.
    SignUp,
}

impl SessionCookie {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "__Host-tenantry_session",
            Self::Operator => "__Host-tenantry_operator",
            Self::Device => "__Host-tenantry_device",
            Self::OperatorDevice => "__Host-tenantry_operator_device",
            Self::SignUp => "__Host-tenantry_signup",
        }
    }

    /// The secret that the browser presents. Two cookies of the name are none: somebody tossed one in.
    pub(crate) fn read(self, headers: &HeaderMap) -> Option<OpaqueToken> {
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name())
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => OpaqueToken::decode(value),
            _ => None,
        }
    }

    /// The header that hands the secret to the browser until `expires_at`.
    pub(crate) fn set(self, secret: &OpaqueToken, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> HeaderValue {
        self.header(secret.encode().to_string(), (expires_at - now).num_seconds().max(0))
    }

    /// The header that makes the browser forget it.
    pub(crate) fn clear(self) -> HeaderValue {
        self.header(String::new(), 0)
    }

    fn header(self, value: String, max_age_secs: i64) -> HeaderValue {
        let cookie = Cookie::build((self.name(), value))
            .path("/")
            .secure(true)
            .http_only(true)
            .same_site(if matches!(self, Self::Operator | Self::OperatorDevice) {
                SameSite::Strict
            } else {
                SameSite::Lax
            })
            .build();
        let text = format!("{cookie}; Max-Age={max_age_secs}");
        // Base64url and our own names are visible ASCII.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_is_read_and_two_are_refused() {
        let secret = OpaqueToken::from_bytes([7; 32]);
        let pair = format!("{}={}", SessionCookie::User.name(), secret.encode().as_str());
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("theme=dark; {pair}; x").parse().unwrap());
        assert!(SessionCookie::User.read(&headers).is_some());
        assert!(SessionCookie::Operator.read(&headers).is_none());
        headers.append(header::COOKIE, pair.parse().unwrap());
        assert!(SessionCookie::User.read(&headers).is_none());
    }

    #[test]
    fn the_cookie_is_bound_to_this_host() {
        let now = DateTime::UNIX_EPOCH;
        let header = SessionCookie::User.set(
            &OpaqueToken::from_bytes([7; 32]),
            now + chrono::TimeDelta::hours(1),
            now,
        );
        let text = header.to_str().unwrap();
        for attribute in [
            "__Host-tenantry_session=",
            "; HttpOnly",
            "; Secure",
            "; SameSite=Lax",
            "; Path=/",
            "; Max-Age=3600",
        ] {
            assert!(text.contains(attribute), "{attribute} in {text}");
        }
        assert!(!text.contains("Domain"));
    }
}
