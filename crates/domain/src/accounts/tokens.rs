//! How long tokens live, and the life of the keys that sign them.

use chrono::{DateTime, TimeDelta, Utc};

use super::session::SessionLimits;

/// A token that opens the API, and the token of the code flow.
pub const ACCESS_TOKENS_LIVE: TimeDelta = TimeDelta::minutes(15);
/// A token for one product.
pub const PRODUCT_TOKENS_LIVE: TimeDelta = TimeDelta::minutes(5);
/// The statement about a sign-in that a product reads once.
pub const ID_TOKENS_LIVE: TimeDelta = TimeDelta::minutes(15);
/// The code that a browser carries from here to a product.
pub const CODES_LIVE: TimeDelta = TimeDelta::minutes(1);
/// A spent refresh token is answered as before for this long: an answer may get lost, and a program may ask twice.
pub const SPENT_TOKENS_REPEAT: TimeDelta = TimeDelta::seconds(10);
/// Clocks of two machines differ by this much at most.
pub const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);
/// Programs stay signed in for three months, one without a refresh.
pub const TOKEN_SESSIONS: SessionLimits = SessionLimits {
    absolute: TimeDelta::days(90),
    idle: TimeDelta::days(30),
};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// Ed25519: everything but ID tokens.
    EdDsa,
    /// RSA with SHA-256: ID tokens, because OpenID Connect Discovery demands it and many libraries know nothing else.
    Rs256,
}

impl SigningAlgorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::EdDsa, Self::Rs256];

    /// As tokens and the ledger write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The reverse of [`SigningAlgorithm::as_str`].
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// The life of a key: published, then signing, then published for as long as something that it signed may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    /// Published from here on.
    pub created_at: DateTime<Utc>,
    /// Signs from here on, unless a newer key does.
    pub not_before: DateTime<Utc>,
    /// Signs until here.
    pub retire_at: DateTime<Utc>,
    /// Published until here.
    pub remove_at: DateTime<Utc>,
}

impl KeyTimes {
    /// How long a key signs.
    pub const SIGNS: TimeDelta = TimeDelta::days(90);
    /// Products keep the list of keys for a while: a key is on it for this long before it signs.
    pub const PUBLISHED_AHEAD: TimeDelta = TimeDelta::days(1);
    /// Longer than any token lives, clocks that differ included.
    pub const OUTLIVES_TOKENS: TimeDelta = TimeDelta::days(1);
    /// A successor is made this long before a key retires: workers may have been down for a while.
    const SUCCEEDED_AHEAD: TimeDelta = TimeDelta::days(7);

    /// The life of the first key: nobody has a list yet that it could be missing from.
    #[must_use]
    pub fn first(now: DateTime<Utc>) -> Self {
        Self::signing_from(now, now)
    }

    /// The life of a key that takes over from another one.
    #[must_use]
    pub fn successor(now: DateTime<Utc>) -> Self {
        Self::signing_from(now, now + Self::PUBLISHED_AHEAD)
    }

    /// The life of a key in the place of a successor that never signed: ready when its predecessor stops, however soon
    /// that is. Whoever has not heard of it by then reads the list again.
    #[must_use]
    pub fn successor_of(predecessor: &Self, now: DateTime<Utc>) -> Self {
        let not_before = (now + Self::PUBLISHED_AHEAD).min(predecessor.retire_at).max(now);
        Self::signing_from(now, not_before)
    }

    fn signing_from(created_at: DateTime<Utc>, not_before: DateTime<Utc>) -> Self {
        let retire_at = not_before + Self::SIGNS;
        Self {
            created_at,
            not_before,
            retire_at,
            remove_at: Self::removed_after(retire_at),
        }
    }

    /// When a key that retires then may go.
    #[must_use]
    pub fn removed_after(retire_at: DateTime<Utc>) -> DateTime<Utc> {
        retire_at + Self::OUTLIVES_TOKENS
    }

    /// Whether it may sign now.
    #[must_use]
    pub fn may_sign(&self, now: DateTime<Utc>) -> bool {
        self.not_before <= now && now < self.retire_at
    }

    /// Whether what it signed is believed now.
    #[must_use]
    pub fn is_published(&self, now: DateTime<Utc>) -> bool {
        now < self.remove_at
    }

    /// Whether it is time for a successor of the newest key.
    #[must_use]
    pub fn needs_successor(&self, now: DateTime<Utc>) -> bool {
        self.retire_at - now <= Self::SUCCEEDED_AHEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_published_before_it_signs_and_overlaps_its_predecessor() {
        let start = DateTime::UNIX_EPOCH;
        let first = KeyTimes::first(start);
        assert!(first.may_sign(start) && !first.needs_successor(start));
        let due = first.retire_at - KeyTimes::SUCCEEDED_AHEAD;
        assert!(first.needs_successor(due));
        let second = KeyTimes::successor(due);
        assert!(!second.may_sign(due) && second.is_published(due));
        assert!(
            second.not_before < first.retire_at,
            "somebody signs at every moment, also when the successor is made a few days late"
        );
    }

    #[test]
    fn a_successor_in_the_place_of_another_leaves_no_gap() {
        let start = DateTime::UNIX_EPOCH;
        let mut first = KeyTimes::first(start);
        first.retire_at = start + TimeDelta::hours(5);
        assert_eq!(KeyTimes::successor_of(&first, start).not_before, first.retire_at);
        let late = start + TimeDelta::hours(6);
        assert!(KeyTimes::successor_of(&first, late).may_sign(late));
        let early = KeyTimes::successor_of(&KeyTimes::first(start), start);
        assert_eq!(early, KeyTimes::successor(start));
    }

    #[test]
    fn a_key_is_published_until_the_last_token_has_died() {
        let times = KeyTimes::first(DateTime::UNIX_EPOCH);
        let last_signed = times.retire_at - TimeDelta::seconds(1);
        for life in [ACCESS_TOKENS_LIVE, PRODUCT_TOKENS_LIVE, ID_TOKENS_LIVE] {
            assert!(times.is_published(last_signed + life + CLOCKS_DIFFER));
        }
        assert!(!times.may_sign(times.retire_at) && !times.is_published(times.remove_at));
    }
}
