//! Secrets at rest: each is encrypted under a key of its own, which is wrapped by a master key.
//!
//! What a secret belongs to is bound into both ciphertexts, so that a row copied to another owner cannot be opened.
//! Master keys have ids: the newest seals, all of them open, which is how one is replaced without a stop.

use std::{collections::BTreeMap, fmt, path::Path};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

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
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    NoRandomness,
}

/// An encrypted secret, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
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
    keys: BTreeMap<String, Key>,
    current: String,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("current", &self.current)
            .field("keys", &self.keys.len())
            .finish()
    }
}

impl Sealer {
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

    /// Encrypts `plaintext` for one owner. `scope` says what kind of thing the owner is.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, scope: &str, owner: Uuid, plaintext: &[u8]) -> Result<Sealed, SealingError> {
        let context = binding(scope, owner);
        let mut data_key: Key = Zeroizing::new([0; KEY_BYTES]);
        SysRng
            .try_fill_bytes(data_key.as_mut_slice())
            .map_err(|_| SealingError::NoRandomness)?;
        Ok(Sealed {
            key_id: self.current.clone(),
            wrapped_key: encrypt(self.key(&self.current)?, &context, data_key.as_slice())?,
            ciphertext: encrypt(&data_key, &context, plaintext)?,
        })
    }

    /// Decrypts what was sealed for the same scope and owner.
    ///
    /// # Errors
    /// When the key is not configured, or the bytes were changed or belong to another owner.
    pub fn open(&self, scope: &str, owner: Uuid, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let context = binding(scope, owner);
        let unwrapped = decrypt(self.key(&sealed.key_id)?, &context, &sealed.wrapped_key)?;
        let data_key: Key = <[u8; KEY_BYTES]>::try_from(unwrapped.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Tampered)?;
        decrypt(&data_key, &context, &sealed.ciphertext)
    }

    /// [`Sealer::seal`] for a text inside a larger document: one line of letters, digits, `-`, `_` and dots.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal_text(&self, purpose: &str, text: &str) -> Result<String, SealingError> {
        let sealed = self.seal(purpose, Uuid::nil(), text.as_bytes())?;
        Ok([sealed.key_id.as_bytes(), &sealed.wrapped_key, &sealed.ciphertext]
            .map(|part| BASE64.encode(part))
            .join("."))
    }

    /// The reverse of [`Sealer::seal_text`].
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn open_text(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<String>, SealingError> {
        let parts: Vec<Vec<u8>> = sealed
            .split('.')
            .map(|part| BASE64.decode(part))
            .collect::<Result<_, _>>()
            .map_err(|_| SealingError::Tampered)?;
        let [key_id, wrapped_key, ciphertext] = <[Vec<u8>; 3]>::try_from(parts).map_err(|_| SealingError::Tampered)?;
        let key_id = String::from_utf8(key_id).map_err(|_| SealingError::Tampered)?;
        let opened = self.open(
            purpose,
            Uuid::nil(),
            &Sealed {
                key_id,
                wrapped_key,
                ciphertext,
            },
        )?;
        String::from_utf8(opened.to_vec())
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Tampered)
    }

    /// A key for another use (signing cursors, hashing addresses), the same on every replica.
    ///
    /// # Errors
    /// Never in practice: the current key is always configured.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealingError> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.key(&self.current)?.as_slice())
            .map_err(|_| SealingError::Tampered)?;
        mac.update(b"tenantry/derive/");
        mac.update(purpose.as_bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    fn key(&self, id: &str) -> Result<&Key, SealingError> {
        self.keys
            .get(id)
            .ok_or_else(|| SealingError::UnknownKey { key_id: id.to_owned() })
    }
}

/// What is bound into a ciphertext besides the secret.
fn binding(scope: &str, owner: Uuid) -> Vec<u8> {
    format!("tenantry/{scope}/{owner}").into_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(lines: &[(&str, u8)]) -> Sealer {
        let text: String = lines
            .iter()
            .map(|(id, byte)| {
                format!(
                    "{id} {}\n",
                    base64::engine::general_purpose::STANDARD.encode([*byte; KEY_BYTES])
                )
            })
            .collect();
        Sealer::parse(&text).unwrap()
    }

    #[test]
    fn opens_for_its_owner_and_nobody_else() {
        let sealer = sealer(&[("k1", 1)]);
        let owner = Uuid::now_v7();
        let sealed = sealer.seal("tenant", owner, b"s3cret").unwrap();
        assert_eq!(sealer.open("tenant", owner, &sealed).unwrap().as_slice(), b"s3cret");
        assert!(matches!(
            sealer.open("tenant", Uuid::now_v7(), &sealed),
            Err(SealingError::Tampered)
        ));
        assert!(matches!(
            sealer.open("operator", owner, &sealed),
            Err(SealingError::Tampered)
        ));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let sealer = sealer(&[("k1", 1)]);
        let owner = Uuid::now_v7();
        let sealed = sealer.seal("tenant", owner, b"s3cret").unwrap();
        for index in 0..sealed.ciphertext.len() {
            let mut changed = sealed.clone();
            changed.ciphertext[index] ^= 1;
            assert!(
                matches!(sealer.open("tenant", owner, &changed), Err(SealingError::Tampered)),
                "byte {index}"
            );
        }
    }

    #[test]
    fn an_older_key_still_opens_after_a_rotation() {
        let old = sealer(&[("k1", 1)]);
        let both = sealer(&[("k1", 1), ("k2", 2)]);
        let text = old.seal_text("mail", "link").unwrap();
        assert_eq!(both.open_text("mail", &text).unwrap().as_str(), "link");
        let newer = both.seal_text("mail", "link").unwrap();
        assert!(matches!(
            old.open_text("mail", &newer),
            Err(SealingError::UnknownKey { .. })
        ));
    }

    #[test]
    fn a_key_file_must_hold_whole_keys() {
        assert!(matches!(Sealer::parse("# nothing\n"), Err(SealingError::Empty)));
        assert!(matches!(
            Sealer::parse("\nk1 c2hvcnQ="),
            Err(SealingError::Malformed { line: 2 })
        ));
    }
}
