//! Making keys, and opening those that the ledger keeps sealed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rand::{TryRng, rngs::SysRng};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey, rand_core::OsRng, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenantry_domain::accounts::tokens::SigningAlgorithm;
use zeroize::Zeroizing;

const RSA_BITS: usize = 2048;
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const ED25519_PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What goes wrong with a key or a token of ours.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No key could be made.
    #[error("no RSA key could be made: {0}")]
    Rsa(#[from] rsa::Error),
    /// A key could not be written down.
    #[error("an RSA key could not be written down: {0}")]
    Encoding(#[from] rsa::pkcs1::Error),
    /// A token could not be signed, or a published key could not be read.
    #[error("signing: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    /// No key may sign now; the next attempt makes one.
    #[error("there is no {0} key that may sign now")]
    NoKey(&'static str),
    /// The thread that made a key ended early.
    #[error("making a key was broken off")]
    BrokenOff,
}

/// A key that was just made.
pub(super) struct KeyPair {
    /// The thumbprint of the public half (RFC 7638).
    pub(super) kid: String,
    /// The public half as it is published.
    pub(super) public_jwk: Value,
    /// The private half: DER, in base64.
    pub(super) private: Zeroizing<String>,
}

/// Makes a key. RSA takes a moment of one processor, so it is made beside the runtime.
pub(super) async fn generate(algorithm: SigningAlgorithm) -> Result<KeyPair, KeyError> {
    tokio::task::spawn_blocking(move || match algorithm {
        SigningAlgorithm::EdDsa => ed25519(),
        SigningAlgorithm::Rs256 => rsa(),
    })
    .await
    .map_err(|_| KeyError::BrokenOff)?
}

fn ed25519() -> Result<KeyPair, KeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    SysRng
        .try_fill_bytes(seed.as_mut_slice())
        .map_err(|_| KeyError::BrokenOff)?;
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    let der = Zeroizing::new([ED25519_PKCS8.as_slice(), seed.as_slice()].concat());
    // The members of a thumbprint, in its order.
    let members = json!({ "crv": "Ed25519", "kty": "OKP", "x": BASE64.encode(public.as_bytes()) });
    Ok(published(members, SigningAlgorithm::EdDsa, &der))
}

fn rsa() -> Result<KeyPair, KeyError> {
    let private = RsaPrivateKey::new(&mut OsRng, RSA_BITS)?;
    let der = private.to_pkcs1_der()?;
    let members = json!({
        "e": BASE64.encode(private.e().to_bytes_be()), "kty": "RSA", "n": BASE64.encode(private.n().to_bytes_be()),
    });
    Ok(published(members, SigningAlgorithm::Rs256, der.as_bytes()))
}

fn published(members: Value, algorithm: SigningAlgorithm, der: &[u8]) -> KeyPair {
    let kid = BASE64.encode(Sha256::digest(canonical(&members)));
    let mut public_jwk = members;
    public_jwk["kid"] = kid.as_str().into();
    public_jwk["use"] = "sig".into();
    public_jwk["alg"] = algorithm.as_str().into();
    KeyPair {
        kid,
        public_jwk,
        private: Zeroizing::new(BASE64.encode(der)),
    }
}

/// The members by name, without spaces; all of them are plain texts.
fn canonical(members: &Value) -> String {
    let mut pairs: Vec<String> = members
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    pairs.sort();
    format!("{{{}}}", pairs.join(","))
}

/// The private half, ready to sign; `None` when it is not what was written down.
pub(super) fn signing_key(algorithm: SigningAlgorithm, private: &str) -> Option<EncodingKey> {
    let der = Zeroizing::new(BASE64.decode(private).ok()?);
    Some(match algorithm {
        SigningAlgorithm::EdDsa => EncodingKey::from_ed_der(&der),
        SigningAlgorithm::Rs256 => EncodingKey::from_rsa_der(&der),
    })
}

/// The public half, ready to verify.
pub(super) fn verifying_key(algorithm: SigningAlgorithm, public_jwk: &Value) -> Result<DecodingKey, KeyError> {
    let member = |name: &str| public_jwk[name].as_str().unwrap_or_default();
    Ok(match algorithm {
        SigningAlgorithm::EdDsa => DecodingKey::from_ed_components(member("x"))?,
        SigningAlgorithm::Rs256 => DecodingKey::from_rsa_components(member("n"), member("e"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638, section 3.1.
    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                 FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb\
                 9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls\
                 1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let members = json!({ "kty": "RSA", "n": n, "e": "AQAB" });
        let pair = published(members, SigningAlgorithm::Rs256, &[]);
        assert_eq!(pair.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[tokio::test]
    async fn a_key_verifies_what_it_signed() {
        for algorithm in SigningAlgorithm::ALL {
            let pair = generate(algorithm).await.unwrap();
            assert!(pair.public_jwk.get("d").is_none());
            let named: jsonwebtoken::Algorithm = algorithm.as_str().parse().unwrap();
            let header = jsonwebtoken::Header::new(named);
            let claims = json!({ "sub": "x" });
            let token =
                jsonwebtoken::encode(&header, &claims, &signing_key(algorithm, &pair.private).unwrap()).unwrap();
            let mut rules = jsonwebtoken::Validation::new(named);
            rules.validate_exp = false;
            rules.required_spec_claims.clear();
            let key = verifying_key(algorithm, &pair.public_jwk).unwrap();
            assert_eq!(
                jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims,
                claims
            );
        }
    }
}
