//! Tokens signed with the installation's own key, so that what a test changes is all that is wrong with them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tenantry_app::sealing::Purpose;

use crate::support::TestApp;

/// What stands before the 32 bytes of a key in PKCS #8 (RFC 8410).
const PKCS8_PREFIX_BYTES: usize = 16;

/// Makes tokens like one that is good.
pub(crate) struct Mint {
    header: Value,
    claims: Value,
    key: SigningKey,
}

impl Mint {
    /// Learns from a good access token, and from the ledger the key that it is signed with.
    pub(crate) async fn like(test: &TestApp, access_token: &str) -> Self {
        let mut parts = access_token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
        });
        let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
        let mut tx = test.app.database.system("a test signs tokens").await.unwrap();
        let kid = header["kid"].as_str().unwrap();
        let sealed: String = sqlx::query_scalar("select sealed_private from signing_keys where kid = $1")
            .bind(kid)
            .fetch_one(&mut tx)
            .await
            .unwrap();
        let opened = test
            .app
            .sealer
            .open_text(&Purpose::SigningKey { kid }, &sealed)
            .unwrap();
        let der = URL_SAFE_NO_PAD.decode(opened.as_str()).unwrap();
        let seed = <[u8; 32]>::try_from(&der[PKCS8_PREFIX_BYTES..]).unwrap();
        Self {
            header,
            claims,
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// What the good one says.
    pub(crate) fn claim(&self, name: &str) -> &Value {
        &self.claims[name]
    }

    /// A token with these claims instead; `null` takes one away.
    pub(crate) fn token(&self, changes: Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        sign(&self.header, &claims, &self.key)
    }

    /// A token that says to be of another kind.
    pub(crate) fn of_kind(&self, kind: &str) -> String {
        let mut header = self.header.clone();
        header["typ"] = json!(kind);
        sign(&header, &self.claims, &self.key)
    }

    /// A token that names our key and is signed with another.
    pub(crate) fn with_another_key(&self) -> String {
        sign(&self.header, &self.claims, &SigningKey::from_bytes(&[7; 32]))
    }
}

fn sign(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
