//! What a person who runs this installation may do. Operators are no users: they have tables, a cookie and an API of
//! their own.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// From looking to everything; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Looks.
    Viewer,
    /// Looks, retries and replays.
    Support,
    /// Everything, destructive acts included.
    Admin,
}

/// A text that names no operator role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, support or admin")]
pub struct UnknownOperatorRole;

impl OperatorRole {
    /// The name that is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for OperatorRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperatorRole {
    type Err = UnknownOperatorRole;

    fn from_str(text: &str) -> Result<Self, UnknownOperatorRole> {
        [Self::Viewer, Self::Support, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownOperatorRole)
    }
}
