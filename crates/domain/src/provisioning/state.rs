//! The life of a tenant, and the moves that it may make.
//!
//! The database refuses the same moves by a trigger; a test below reads the migration and compares the two lists.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! named_states {
    ($(#[$doc:meta])* $name:ident { $($(#[$state_doc:meta])* $state:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$state_doc])* $state,)+ }

        impl $name {
            /// Every value, in the order of a life.
            pub const ALL: &'static [Self] = &[$(Self::$state,)+];

            /// As the database and the API write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$state => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownState;

            fn from_str(text: &str) -> Result<Self, UnknownState> {
                match text { $($text => Ok(Self::$state),)+ _ => Err(UnknownState(text.to_owned())) }
            }
        }
    };
}

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a state")]
pub struct UnknownState(pub String);

named_states! {
    /// Where a tenant stands. Only operations move it.
    TenantState {
        /// Named and reserved, nothing runs yet: waits for payment or for its operation.
        Pending = "pending",
        /// Being made.
        Provisioning = "provisioning",
        /// Runs and answers.
        Active = "active",
        /// Runs while a new version or plan takes its place.
        Upgrading = "upgrading",
        /// Scaled to nothing, data kept.
        Suspended = "suspended",
        /// Being removed.
        Deprovisioning = "deprovisioning",
        /// Gone. Its identifiers are never used again.
        Deleted = "deleted",
        /// An operation gave up and undid what it had done.
        Failed = "failed",
    }
}

named_states! {
    /// What entitlements and people want of a tenant.
    DesiredState {
        /// It should run.
        Running = "running",
        /// It should rest with its data.
        Suspended = "suspended",
        /// It should be gone.
        Deleted = "deleted",
    }
}

/// A move that no tenant may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant cannot go from {from} to {to}")]
pub struct IllegalMove {
    /// Where it stands.
    pub from: TenantState,
    /// Where it was to go.
    pub to: TenantState,
}

use TenantState::{Active, Deleted, Deprovisioning, Failed, Pending, Provisioning, Suspended, Upgrading};

/// Every legal move.
pub const LEGAL_MOVES: &[(TenantState, TenantState)] = &[
    (Pending, Provisioning),
    (Pending, Deprovisioning),
    (Pending, Deleted),
    (Provisioning, Active),
    (Provisioning, Failed),
    (Active, Upgrading),
    (Active, Suspended),
    (Active, Deprovisioning),
    (Active, Provisioning),
    (Upgrading, Active),
    (Upgrading, Failed),
    (Suspended, Active),
    (Suspended, Deprovisioning),
    (Failed, Provisioning),
    (Failed, Upgrading),
    (Failed, Active),
    (Failed, Deprovisioning),
    (Deprovisioning, Deleted),
];

impl TenantState {
    fn to(self, to: Self) -> Result<Self, IllegalMove> {
        if LEGAL_MOVES.contains(&(self, to)) {
            Ok(to)
        } else {
            Err(IllegalMove { from: self, to })
        }
    }

    /// An operation begins to make it. One that is already being made goes on: an attempt after a crash is the same move.
    ///
    /// # Errors
    /// From a state in which nothing may be made.
    pub fn provision(self) -> Result<Self, IllegalMove> {
        if self == Provisioning {
            Ok(self)
        } else {
            self.to(Provisioning)
        }
    }

    /// It answers its health probe.
    ///
    /// # Errors
    /// When it was not being made, changed or resumed.
    pub fn activate(self) -> Result<Self, IllegalMove> {
        if self == Active { Ok(self) } else { self.to(Active) }
    }

    /// An operation gave up and undid its steps.
    ///
    /// # Errors
    /// When no operation could have been at work.
    pub fn fail(self) -> Result<Self, IllegalMove> {
        if self == Failed { Ok(self) } else { self.to(Failed) }
    }

    /// An operation begins to remove it. From any state in which something of it may exist.
    ///
    /// # Errors
    /// When it is gone already or another operation is at work.
    pub fn deprovision(self) -> Result<Self, IllegalMove> {
        if self == Deprovisioning {
            Ok(self)
        } else {
            self.to(Deprovisioning)
        }
    }

    /// Nothing of it is left, or nothing was ever made.
    ///
    /// # Errors
    /// When something of it may still exist.
    pub fn delete(self) -> Result<Self, IllegalMove> {
        if self == Deleted { Ok(self) } else { self.to(Deleted) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The pairs between `not in (` and the end of that condition in the trigger.
    fn moves_of_the_database() -> BTreeSet<(TenantState, TenantState)> {
        let migration = include_str!("../../../postgres/migrations/0005_provisioning.sql");
        let (_, list) = migration
            .split_once("(old.state, new.state) not in (")
            .expect("the trigger");
        let (list, _) = list.split_once(") then").expect("its end");
        list.split("('")
            .skip(1)
            .map(|pair| {
                let mut words = pair
                    .split('\'')
                    .filter(|word| !word.trim_matches([',', ' ', ')', '\n']).is_empty());
                (
                    words.next().unwrap().parse().unwrap(),
                    words.next().unwrap().parse().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn the_database_allows_the_same_moves() {
        assert_eq!(moves_of_the_database(), LEGAL_MOVES.iter().copied().collect());
    }

    #[test]
    fn every_state_survives_its_text() {
        for state in TenantState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn nothing_leaves_deleted() {
        for to in TenantState::ALL {
            assert!(!LEGAL_MOVES.contains(&(Deleted, *to)));
        }
        assert_eq!(
            Deleted.provision(),
            Err(IllegalMove {
                from: Deleted,
                to: Provisioning
            })
        );
    }

    #[test]
    fn whatever_may_exist_can_be_removed() {
        for state in [Pending, Active, Suspended, Failed, Deprovisioning] {
            assert_eq!(state.deprovision(), Ok(Deprovisioning));
        }
    }
}
