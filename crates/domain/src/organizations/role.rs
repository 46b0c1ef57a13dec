//! What a member is in an organization.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Permission;

/// A member's role. Each organization has exactly one owner; the database keeps it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers for everything, deletion included.
    Owner,
    /// Runs the organization.
    Admin,
    /// Works in it.
    Member,
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is owner, admin or member")]
pub struct UnknownRole;

impl Role {
    /// All roles, from the strongest on.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Member];

    /// The name that is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Whether this role holds the permission.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        permission.holders().contains(&self)
    }

    /// Everything this role may do, in the order of the table.
    #[must_use]
    pub fn permissions(self) -> Vec<Permission> {
        Permission::ALL
            .into_iter()
            .filter(|permission| self.may(*permission))
            .collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}
