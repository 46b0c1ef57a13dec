//! The key that vouches for the log. It is derived from the secret of the installation, so that every replica has it, it
//! outlives every master key, and it is in no table.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ed25519_dalek::{Signature, Signer, SigningKey};

use crate::{App, sealing::SealingError};

/// What it is derived for.
const PURPOSE: &str = "audit log";

pub(super) struct LogKey(SigningKey);

impl LogKey {
    pub(super) fn of(app: &App) -> Result<Self, SealingError> {
        let seed = app.sealer.derive(PURPOSE)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The public half: 32 bytes in base64.
    pub(super) fn public(&self) -> String {
        BASE64.encode(self.0.verifying_key().as_bytes())
    }

    pub(super) fn sign(&self, statement: &[u8]) -> Vec<u8> {
        self.0.sign(statement).to_bytes().to_vec()
    }

    pub(super) fn has_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verifying_key().verify_strict(statement, &signature).is_ok())
    }
}
