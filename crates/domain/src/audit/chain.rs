//! Whose log a row is in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::ids::{OrganizationId, UserId};

/// One of the logs. Each is a chain of its own, so that nobody has to wait for another's, and one can be shown and verified
/// without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chain {
    /// What concerns an organization.
    Organization(OrganizationId),
    /// What concerns a person alone.
    User(UserId),
    /// What concerns the installation.
    System,
}

/// A text that names no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a chain: org_…, usr_… or system")]
pub struct UnknownChain;

impl Chain {
    /// The chain of a row that names these.
    #[must_use]
    pub fn of(organization: Option<OrganizationId>, user: Option<UserId>) -> Self {
        match (organization, user) {
            (Some(organization), _) => Self::Organization(organization),
            (None, Some(user)) => Self::User(user),
            (None, None) => Self::System,
        }
    }

    /// From what the ledger keeps of it.
    ///
    /// # Errors
    /// For a scope that there is not.
    pub fn from_parts(scope: &str, id: Uuid) -> Result<Self, UnknownChain> {
        match scope {
            "organization" => Ok(Self::Organization(OrganizationId::from_uuid(id))),
            "user" => Ok(Self::User(UserId::from_uuid(id))),
            "system" => Ok(Self::System),
            _ => Err(UnknownChain),
        }
    }

    /// What the ledger tells chains apart by; nil for the installation's.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Organization(id) => id.uuid(),
            Self::User(id) => id.uuid(),
            Self::System => Uuid::nil(),
        }
    }

    /// `organization`, `user` or `system`.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

impl FromStr for Chain {
    type Err = UnknownChain;

    fn from_str(text: &str) -> Result<Self, UnknownChain> {
        if text == "system" {
            return Ok(Self::System);
        }
        text.parse()
            .map(Self::Organization)
            .or_else(|_| text.parse().map(Self::User))
            .map_err(|_| UnknownChain)
    }
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_survives_its_text_and_its_parts() {
        let id = Uuid::from_u128(7);
        for chain in [
            Chain::Organization(OrganizationId::from_uuid(id)),
            Chain::User(UserId::from_uuid(id)),
            Chain::System,
        ] {
            assert_eq!(chain.to_string().parse(), Ok(chain));
            assert_eq!(Chain::from_parts(chain.scope(), chain.uuid()), Ok(chain));
        }
        assert_eq!("ten_01h2xcejqtf2nbrexx3vqjhp41".parse::<Chain>(), Err(UnknownChain));
        assert_eq!(Chain::from_parts("tenant", id), Err(UnknownChain));
    }
}
