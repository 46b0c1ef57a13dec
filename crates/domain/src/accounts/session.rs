//! How long a sign-in lasts.

use chrono::{DateTime, TimeDelta, Utc};

use super::tokens::TOKEN_SESSIONS;

/// Limits of a kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// From the sign-in on, whatever happens.
    pub absolute: TimeDelta,
    /// Since it was used last.
    pub idle: TimeDelta,
}

/// Customers stay signed in for a month, two weeks without a visit.
pub const USER_SESSIONS: SessionLimits = SessionLimits {
    absolute: TimeDelta::days(30),
    idle: TimeDelta::days(14),
};
/// Operators sign in every working day.
pub const OPERATOR_SESSIONS: SessionLimits = SessionLimits {
    absolute: TimeDelta::hours(12),
    idle: TimeDelta::hours(1),
};
/// How long the proof of who somebody is counts for acts that cannot be taken back.
pub const PROOF_LASTS: TimeDelta = TimeDelta::minutes(10);
/// The use of a session is written down at most this often: a page that makes ten calls costs one write.
pub const LAST_USED_RESOLUTION: TimeDelta = TimeDelta::minutes(1);

impl SessionLimits {
    /// When a session ends that is not used again, given the end that was set at its sign-in.
    #[must_use]
    pub fn ends_at(&self, last_used_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> DateTime<Utc> {
        (last_used_at + self.idle).min(expires_at)
    }
}

/// The limits of a session whose kind is stored as `kind`.
#[must_use]
pub fn limits_of(kind: &str) -> SessionLimits {
    if kind == Grant::Token.as_str() {
        TOKEN_SESSIONS
    } else {
        USER_SESSIONS
    }
}

/// What a sign-in hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grant {
    /// A cookie, for browsers.
    #[default]
    Browser,
    /// An access token and a refresh token, for programs.
    Token,
}

impl Grant {
    /// The name that is stored: the kind of session that begins.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Token => "token",
        }
    }
}
