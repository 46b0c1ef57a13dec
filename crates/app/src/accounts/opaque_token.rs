//! Random secrets that are handed out once and kept as a hash: in session cookies and in links of mails.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Fault;

const BYTES: usize = 32;

/// 256 random bits. Nobody guesses them, so a plain hash protects them at rest.
#[derive(Clone)]
pub struct OpaqueToken(Zeroizing<[u8; BYTES]>);

impl OpaqueToken {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate() -> Result<Self, Fault> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        SysRng
            .try_fill_bytes(bytes.as_mut_slice())
            .map_err(|_| Fault::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// One made of given bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads the text form; `None` for anything that is not one.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        // 32 bytes are 43 letters; anything else is not worth decoding.
        if text.len() != 43 {
            return None;
        }
        let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
        <[u8; BYTES]>::try_from(bytes.as_slice()).ok().map(Self::from_bytes)
    }

    /// The text form: letters, digits, `-` and `_`.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.0.as_slice()))
    }

    /// What the ledger keeps.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_slice()).into()
    }

    /// The secret itself, to derive others from.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back_and_nothing_else_does() {
        let token = OpaqueToken::generate().unwrap();
        let text = token.encode();
        assert_eq!(OpaqueToken::decode(&text).unwrap().hash(), token.hash());
        for text in [
            "",
            "a",
            &"é".repeat(22),
            &format!("{}=", &text[..42]),
            &format!("{}a", text.as_str()),
        ] {
            assert!(OpaqueToken::decode(text).is_none(), "{text}");
        }
        assert_eq!(format!("{token:?}"), "OpaqueToken(…)");
    }
}
