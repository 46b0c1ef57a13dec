//! What can be sealed, and what is bound into its ciphertext.
//!
//! Whatever is sealed names its purpose here, and a purpose says which column it is kept in: replacing a master key goes
//! through all columns, so that nothing can be sealed that it does not know.

use sha2::{Digest, Sha256};
use tenantry_domain::{accounts::FactorHolder, ids::OrganizationId};
use tenantry_postgres::sealed_columns::SealedColumn;
use uuid::Uuid;

/// Binds the scope and the owner.
pub(super) const OF_OWNER: i16 = 1;
/// Binds everything that names a secret.
pub(super) const OF_NAME: i16 = 2;

/// What something is sealed for: whoever lays it anywhere else cannot open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A secret in a row of its own.
    Secret(Place<'a>),
    /// The key that a person's entries in the log are sealed with.
    PersonalKey {
        /// Whose.
        subject: Uuid,
    },
    /// What codes of a second factor are made from.
    Totp(FactorHolder),
    /// The private half of a key that signs tokens.
    SigningKey {
        /// Which key: one half cannot be laid beside another's public half.
        kid: &'a str,
    },
    /// A mail that waits to be sent.
    Mail,
    /// An answer that is given again.
    Answer {
        /// Who asked.
        principal: &'a str,
        /// The key that the client chose.
        key: &'a str,
    },
}

/// Whose a secret is, and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// What kind of thing the owner is.
    pub scope: &'a str,
    /// The owner's organization, where it has one.
    pub organization: Option<OrganizationId>,
    /// The owner.
    pub owner: Uuid,
    /// Unique for the owner.
    pub name: &'a str,
}

impl Purpose<'_> {
    /// Where it is kept.
    #[must_use]
    pub const fn column(&self) -> SealedColumn {
        match self {
            Self::Secret(_) => SealedColumn::Secrets,
            Self::PersonalKey { .. } => SealedColumn::PersonalKeys,
            // A user's that replaces another one is kept beside it until its first code.
            Self::Totp(FactorHolder::User(_)) => SealedColumn::UserFactors,
            Self::Totp(FactorHolder::Operator(_)) => SealedColumn::OperatorFactors,
            Self::SigningKey { .. } => SealedColumn::SigningKeys,
            Self::Mail => SealedColumn::WaitingMails,
            Self::Answer { .. } => SealedColumn::Answers,
        }
    }

    /// In which form it is sealed from now on.
    pub(crate) const fn format(&self) -> i16 {
        match self {
            Self::Secret(_) | Self::SigningKey { .. } => OF_NAME,
            _ => OF_OWNER,
        }
    }

    /// In which form a former release sealed it as a text, which does not say so itself. It is opened still, and sealed
    /// anew with a master key; signing keys are gone after their life in any case.
    pub(super) const fn former_format(&self) -> Option<i16> {
        match self {
            Self::SigningKey { .. } => Some(OF_OWNER),
            _ => None,
        }
    }

    /// What is bound in; nothing for a form that this release does not know.
    pub(super) fn binding(&self, format: i16) -> Option<Vec<u8>> {
        match (self, format) {
            (Self::Secret(place), OF_NAME) => Some(place.binding()),
            (Self::Secret(place), OF_OWNER) => Some(of_owner(place.scope, place.owner)),
            (Self::PersonalKey { subject }, OF_OWNER) => Some(of_owner("personal_key", *subject)),
            (Self::Totp(holder), OF_OWNER) => Some(of_owner(&format!("totp/{holder}"), Uuid::nil())),
            (Self::SigningKey { kid }, OF_NAME) => Some(named(&[b"signing key", kid.as_bytes()])),
            (Self::SigningKey { .. }, OF_OWNER) => Some(of_owner("signing key", Uuid::nil())),
            (Self::Mail, OF_OWNER) => Some(of_owner("mail", Uuid::nil())),
            (Self::Answer { principal, key }, OF_OWNER) => {
                let parts = hex::encode(Sha256::digest(in_parts(&[principal.as_bytes(), key.as_bytes()])));
                Some(of_owner(&format!("idempotent answer/{parts}"), Uuid::nil()))
            }
            _ => None,
        }
    }
}

impl Place<'_> {
    fn binding(&self) -> Vec<u8> {
        let organization = self.organization.map(OrganizationId::uuid);
        named(&[
            self.scope.as_bytes(),
            organization.as_ref().map_or(&[][..], |id| id.as_bytes().as_slice()),
            self.owner.as_bytes(),
            self.name.as_bytes(),
        ])
    }
}

/// Begins as no scope does.
fn named(parts: &[&[u8]]) -> Vec<u8> {
    [b"tenantry\0named\0".as_slice(), &in_parts(parts)].concat()
}

fn of_owner(scope: &str, owner: Uuid) -> Vec<u8> {
    format!("tenantry/{scope}/{owner}").into_bytes()
}

/// Each part goes in with its length, so that no two lists of parts give the same bytes.
fn in_parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
