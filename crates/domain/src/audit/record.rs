//! What is hashed of a row.
//!
//! The hash of a row is SHA-256 over a list of parts, each behind its length in eight bytes, the most significant first:
//! the words `tenantry audit record 1`, and then for each column in the order of [`ENCODED_COLUMNS`] its name and its value. A column
//! that is null leaves neither. Identifiers are their 16 bytes; `seq`, and `at` in microseconds since 1970, are eight bytes,
//! the most significant first, in two's complement; texts are UTF-8; `body` is the text that PostgreSQL writes for the
//! column, which holds every digit of every number.
//!
//! Since what is null leaves nothing, a later release may add a column without changing the hash of any row from before.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::encoding::Encoding;

const FORM: &str = "tenantry audit record 1";

/// Every column of the table but the hash itself.
pub const ENCODED_COLUMNS: &[&str] = &[
    "chain",
    "seq",
    "prev_hash",
    "id",
    "organization_id",
    "user_id",
    "action",
    "actor",
    "sealed_personal",
    "target",
    "body",
    "at",
];

/// The hash of a row, or what stands before the first one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; 32]);

/// A text or bytes that are no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: 64 hexadecimal digits")]
pub struct InvalidHash;

impl ChainHash {
    /// Before the first row of a chain.
    pub const NOTHING: Self = Self([0; 32]);

    /// As the ledger holds it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for ChainHash {
    type Error = InvalidHash;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidHash> {
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ChainHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let digits: Vec<u8> = text
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(InvalidHash)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4) | low).collect();
        if !rest.is_empty() {
            return Err(InvalidHash);
        }
        Self::try_from(bytes.as_slice())
    }
}

impl Serialize for ChainHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What was written when something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The row's id.
    pub id: Uuid,
    /// The organization that it concerns.
    pub organization: Option<Uuid>,
    /// The user whom it concerns.
    pub user: Option<Uuid>,
    /// What was done.
    pub action: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// What else is known of the person, as it is stored: encrypted. The chain holds when the key is gone.
    pub sealed_personal: Option<&'a [u8]>,
    /// What it was done to.
    pub target: Option<&'a str>,
    /// The rest, as PostgreSQL writes it.
    pub body: &'a str,
    /// When, in microseconds since 1970.
    pub at_micros: i64,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which chain.
    pub chain: Uuid,
    /// The how-manieth of it, from 1.
    pub seq: i64,
    /// The hash of the row before.
    pub prev_hash: ChainHash,
}

/// The bytes that a row's hash is made of.
#[must_use]
pub fn encode(record: &Record<'_>, position: &Position) -> Vec<u8> {
    let id = |id: &Option<Uuid>| id.map(Uuid::into_bytes);
    let mut encoding = Encoding::of(FORM);
    encoding.field("chain", position.chain.as_bytes());
    encoding.field("seq", &position.seq.to_be_bytes());
    encoding.field("prev_hash", position.prev_hash.as_bytes());
    encoding.field("id", record.id.as_bytes());
    encoding.optional(
        "organization_id",
        id(&record.organization).as_ref().map(<[u8; 16]>::as_slice),
    );
    encoding.optional("user_id", id(&record.user).as_ref().map(<[u8; 16]>::as_slice));
    encoding.field("action", record.action.as_bytes());
    encoding.field("actor", record.actor.as_bytes());
    encoding.optional("sealed_personal", record.sealed_personal);
    encoding.optional("target", record.target.map(str::as_bytes));
    encoding.field("body", record.body.as_bytes());
    encoding.field("at", &record.at_micros.to_be_bytes());
    encoding.into_bytes()
}

/// A row's hash.
#[must_use]
pub fn hash(record: &Record<'_>, position: &Position) -> ChainHash {
    ChainHash(Sha256::digest(encode(record, position)).into())
}

#[cfg(test)]
mod tests;
