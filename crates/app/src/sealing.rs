//! Secrets at rest: each is encrypted under a key of its own, which is wrapped by a master key.
//!
//! What a secret belongs to is bound into both ciphertexts, so that a row copied to another owner cannot be opened.
//! Master keys have ids: the newest seals, all of them open, which is how one is replaced without a stop. Keys for
//! signing and hashing are derived from a secret of the installation, which is sealed in the ledger and drawn once: they
//! stay the same whatever master keys come and go.

mod installation_secret;
mod master_keys;
mod purpose;
pub mod rotation;

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tenantry_domain::ids::InstallationId;
use tenantry_postgres::{Database, sealed_secrets::SealedSecret};
use zeroize::Zeroizing;

use crate::error::Fault;

pub use self::{
    master_keys::MasterKeys,
    purpose::{Place, Purpose},
};

const KEY_BYTES: usize = 32;

type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Why something could not be sealed or opened. Says nothing about the secret.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The master key's file cannot be read.
    #[error("cannot read the master key file {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The master key's file is not of the expected form.
    #[error("line {line} of the master key file is not `ID BASE64-OF-32-BYTES`")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// The file holds no key.
    #[error("the master key file holds no key; write one line: `k1 $(head -c 32 /dev/urandom | base64)`")]
    Empty,
    /// The key that sealed this is no longer configured.
    #[error("the master key {key_id} is not configured, but something is sealed under it")]
    UnknownKey {
        /// The id of the missing key.
        key_id: String,
    },
    /// The bytes were changed, or belong to another owner.
    #[error("the sealed bytes do not open: they were changed or belong to something else")]
    Tampered,
    /// A newer release has sealed this.
    #[error("sealed in form {format}, which this release does not know")]
    UnknownFormat {
        /// Its number.
        format: i16,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

/// An encrypted secret, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What is bound into both ciphertexts.
    pub format: i16,
    /// Which master key wraps `wrapped_key`.
    pub key_id: String,
    /// Nonce and encrypted data key.
    pub wrapped_key: Vec<u8>,
    /// Nonce and encrypted secret.
    pub ciphertext: Vec<u8>,
}

/// Seals and opens; cheap to share.
#[derive(Clone)]
pub struct Sealer {
    keys: MasterKeys,
    /// What other keys are derived from.
    installation_secret: Key,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// With the installation's own secret from the ledger, which is drawn if there is none yet.
    ///
    /// # Errors
    /// The ledger's, or a secret that none of these keys opens.
    pub async fn unlock(keys: MasterKeys, database: &Database, installation: InstallationId) -> Result<Self, Fault> {
        let installation_secret = installation_secret::load_or_draw(&keys, database, installation).await?;
        Ok(Self {
            keys,
            installation_secret,
        })
    }

    /// The id of the master key that seals.
    #[must_use]
    pub fn current_key(&self) -> &str {
        self.keys.current()
    }

    /// Encrypts `plaintext` for one purpose.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, purpose: &Purpose<'_>, plaintext: &[u8]) -> Result<Sealed, SealingError> {
        self.keys.seal(purpose, plaintext)
    }

    /// Decrypts what was sealed for the same purpose.
    ///
    /// # Errors
    /// When the key is not configured, or the bytes were changed or sealed for something else.
    pub fn open(&self, purpose: &Purpose<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        self.keys.open(purpose, sealed)
    }

    /// [`Sealer::seal`] for a secret that has a row of its own.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_secret(&self, place: Place<'_>, plaintext: &[u8]) -> Result<SealedSecret, SealingError> {
        self.keys.seal_secret(place, plaintext)
    }

    /// The reverse of [`Sealer::seal_secret`]. The name in the row has to be that of the place.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_secret(&self, place: Place<'_>, row: SealedSecret) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        self.keys.open_secret(place, row)
    }

    /// [`Sealer::seal`] for a text inside a larger document: one line of letters, digits, `-`, `_` and dots.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_text(&self, purpose: &Purpose<'_>, text: &str) -> Result<String, SealingError> {
        let sealed = self.seal(purpose, text.as_bytes())?;
        let rest = [sealed.wrapped_key, sealed.ciphertext].map(|part| BASE64.encode(part));
        Ok(text_prefix(&sealed.key_id) + &rest.join("."))
    }

    /// The reverse of [`Sealer::seal_text`].
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_text(&self, purpose: &Purpose<'_>, sealed: &str) -> Result<Zeroizing<String>, SealingError> {
        let parts: Vec<Vec<u8>> = sealed
            .split('.')
            .map(|part| BASE64.decode(part))
            .collect::<Result<_, _>>()
            .map_err(|_| SealingError::Tampered)?;
        let [key_id, wrapped_key, ciphertext] = <[Vec<u8>; 3]>::try_from(parts).map_err(|_| SealingError::Tampered)?;
        let mut sealed = Sealed {
            format: purpose.format(),
            key_id: String::from_utf8(key_id).map_err(|_| SealingError::Tampered)?,
            wrapped_key,
            ciphertext,
        };
        let opened = match (self.open(purpose, &sealed), purpose.former_format()) {
            (Err(SealingError::Tampered), Some(former)) => {
                sealed.format = former;
                self.open(purpose, &sealed)?
            }
            (outcome, _) => outcome?,
        };
        String::from_utf8(opened.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Tampered)
    }

    /// A key for another use (signing cursors, hashing addresses): the same on every replica, and for as long as this
    /// installation lives, whatever master keys it is given.
    ///
    /// # Errors
    /// Never in practice: the secret is of a length that the hash takes.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealingError> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.installation_secret.as_slice())
            .map_err(|_| SealingError::Tampered)?;
        mac.update(b"tenantry/derive/");
        mac.update(purpose.as_bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

/// How a sealed text begins that a master key seals.
fn text_prefix(key_id: &str) -> String {
    BASE64.encode(key_id) + "."
}

impl MasterKeys {
    fn seal_secret(&self, place: Place<'_>, plaintext: &[u8]) -> Result<SealedSecret, SealingError> {
        let sealed = self.seal(&Purpose::Secret(place), plaintext)?;
        Ok(SealedSecret {
            name: place.name.to_owned(),
            format: sealed.format,
            key_id: sealed.key_id,
            wrapped_key: sealed.wrapped_key,
            ciphertext: sealed.ciphertext,
        })
    }

    pub(crate) fn open_secret(&self, place: Place<'_>, row: SealedSecret) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let sealed = Sealed {
            format: row.format,
            key_id: row.key_id,
            wrapped_key: row.wrapped_key,
            ciphertext: row.ciphertext,
        };
        self.open(&Purpose::Secret(place), &sealed)
    }
}

#[cfg(test)]
mod tests;
