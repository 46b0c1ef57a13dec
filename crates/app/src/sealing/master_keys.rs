//! The keys that wrap all others: read from a file, never stored.

use std::{collections::BTreeMap, fmt, path::Path};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::Engine;
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, Purpose, Sealed, SealingError};

const NONCE_BYTES: usize = 12;

/// Master keys by their ids. The newest seals, all of them open.
#[derive(Clone)]
pub struct MasterKeys {
    keys: BTreeMap<String, Key>,
    current: String,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("current", &self.current)
            .field("keys", &self.keys.len())
            .finish()
    }
}

impl MasterKeys {
    /// Reads master keys from a file: one `ID BASE64` a line, the last one seals, blank lines and `#` are skipped.
    ///
    /// # Errors
    /// When the file cannot be read or holds no well-formed key.
    pub fn from_file(path: &Path) -> Result<Self, SealingError> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|source| SealingError::Unreadable {
                path: path.display().to_string(),
                source,
            })?;
        Self::parse(&text)
    }

    /// Reads master keys from the text of such a file.
    ///
    /// # Errors
    /// When it holds no well-formed key.
    pub fn parse(text: &str) -> Result<Self, SealingError> {
        let mut keys = BTreeMap::new();
        let mut current = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let malformed = SealingError::Malformed { line: index + 1 };
            let Some((id, encoded)) = line.split_once(char::is_whitespace) else {
                return Err(malformed);
            };
            let decoded = base64::engine::general_purpose::STANDARD
                .decode(encoded.trim())
                .map(Zeroizing::new)
                .ok()
                .and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok());
            let Some(key) = decoded else { return Err(malformed) };
            keys.insert(id.to_owned(), Zeroizing::new(key));
            current = Some(id.to_owned());
        }
        current.map(|current| Self { keys, current }).ok_or(SealingError::Empty)
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Encrypts `plaintext` for one purpose.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, purpose: &Purpose<'_>, plaintext: &[u8]) -> Result<Sealed, SealingError> {
        self.seal_in_form(purpose.format(), purpose, plaintext)
    }

    pub(super) fn seal_in_form(
        &self,
        format: i16,
        purpose: &Purpose<'_>,
        plaintext: &[u8],
    ) -> Result<Sealed, SealingError> {
        let context = purpose.binding(format).ok_or(SealingError::UnknownFormat { format })?;
        let mut data_key: Key = Zeroizing::new([0; KEY_BYTES]);
        SysRng
            .try_fill_bytes(data_key.as_mut_slice())
            .map_err(|_| SealingError::NoRandomness)?;
        Ok(Sealed {
            format,
            key_id: self.current.clone(),
            wrapped_key: encrypt(self.key(&self.current)?, &context, data_key.as_slice())?,
            ciphertext: encrypt(&data_key, &context, plaintext)?,
        })
    }

    /// Decrypts what was sealed for the same purpose.
    ///
    /// # Errors
    /// When the key is not configured, or the bytes were changed or sealed for something else.
    pub fn open(&self, purpose: &Purpose<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let format = sealed.format;
        let context = purpose.binding(format).ok_or(SealingError::UnknownFormat { format })?;
        let unwrapped = decrypt(self.key(&sealed.key_id)?, &context, &sealed.wrapped_key)?;
        let data_key: Key = <[u8; KEY_BYTES]>::try_from(unwrapped.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Tampered)?;
        decrypt(&data_key, &context, &sealed.ciphertext)
    }

    fn key(&self, id: &str) -> Result<&Key, SealingError> {
        self.keys
            .get(id)
            .ok_or_else(|| SealingError::UnknownKey { key_id: id.to_owned() })
    }
}

fn encrypt(key: &Key, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealingError> {
    let mut nonce = [0; NONCE_BYTES];
    SysRng
        .try_fill_bytes(&mut nonce)
        .map_err(|_| SealingError::NoRandomness)?;
    let encrypted = Aes256Gcm::new_from_slice(key.as_slice())
        .map_err(|_| SealingError::Tampered)?
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plaintext,
                aad: context,
            },
        )
        .map_err(|_| SealingError::Tampered)?;
    Ok([nonce.as_slice(), &encrypted].concat())
}

fn decrypt(key: &Key, context: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let (nonce, encrypted) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealingError::Tampered)?;
    Aes256Gcm::new_from_slice(key.as_slice())
        .map_err(|_| SealingError::Tampered)?
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: encrypted,
                aad: context,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| SealingError::Tampered)
}
