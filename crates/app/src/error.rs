//! What can fail in any use case and that no caller can mend: it is logged, and tried again later or by a person.

use tenantry_domain::accounts::totp::InvalidLabel;
use tenantry_postgres::DatabaseError;

use crate::{
    accounts::{HashingError, KeyError},
    sealing::SealingError,
};

/// A failure below a use case. What a caller did wrong has errors of its own, beside each use case.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The ledger.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Secrets at rest.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// Password hashing.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A value of ours that does not serialise, or a stored one that does not read.
    #[error("stored value: {0}")]
    Encoding(#[from] serde_json::Error),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
    /// The program is ending.
    #[error("the program is ending")]
    Stopping,
    /// An address for authenticator apps that cannot be made.
    #[error(transparent)]
    Label(#[from] InvalidLabel),
    /// Every slug that was drawn for a new organization was taken.
    #[error("no free slug was found for a new organization")]
    NoFreeSlug,
}
