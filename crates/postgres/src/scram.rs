//! The form in which PostgreSQL stores a password (RFC 5802, RFC 7677), computed here so that the password itself is
//! never sent in a statement, where a log could keep it.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// PostgreSQL's own default.
const ITERATIONS: u32 = 4096;

/// The verifier of a password that needs no normalisation (printable ASCII).
pub(crate) fn verifier(password: &SecretString, salt: &[u8; 16]) -> String {
    let salted = salted_password(password.expose_secret().as_bytes(), salt);
    let stored_key = Sha256::digest(mac(&salted, b"Client Key"));
    let server_key = mac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

/// PBKDF2 with one block, which is all that SHA-256 needs.
fn salted_password(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut first_input = salt.to_vec();
    first_input.extend_from_slice(&1_u32.to_be_bytes());
    let mut latest = mac(password, &first_input);
    let mut sum = latest;
    for _ in 1..ITERATIONS {
        latest = mac(password, &latest);
        for (total, byte) in sum.iter_mut().zip(latest) {
            *total ^= byte;
        }
    }
    sum
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length is accepted; only the type says otherwise.
    let Ok(keyed) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    keyed.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3: user "user", password "pencil".
    #[test]
    fn agrees_with_the_rfc() {
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let salted = salted_password(b"pencil", &salt);
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server_signature = mac(&mac(&salted, b"Server Key"), message);
        assert_eq!(
            STANDARD.encode(server_signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }
}
