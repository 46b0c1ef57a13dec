//! The secret that successors of refresh tokens are derived with. It is made once for the installation and kept sealed,
//! so that it stays the same when the master key is replaced.

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use tenantry_postgres::accounts::token_secrets::{self, SCOPE, SealedTokenSecret};
use zeroize::Zeroizing;

use super::super::OpaqueToken;
use crate::{
    App,
    error::Fault,
    sealing::{Sealed, SealingError},
};

type Secret = Zeroizing<[u8; 32]>;

/// The token that follows another one: the same for everybody who asks, known to nobody who lacks the secret.
pub(super) async fn successor(app: &App, predecessor: &OpaqueToken) -> Result<OpaqueToken, Fault> {
    let secret = app
        .key_ring()
        .installation_secret
        .get_or_try_init(|| find_or_make(app))
        .await?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_slice()).map_err(|_| SealingError::Tampered)?;
    mac.update(b"tenantry refresh token successor");
    mac.update(predecessor.bytes());
    Ok(OpaqueToken::from_bytes(mac.finalize().into_bytes().into()))
}

async fn find_or_make(app: &App) -> Result<Secret, Fault> {
    let installation = app.settings.installation;
    let mut tx = app.database.system("the secret behind refresh tokens").await?;
    if token_secrets::find(&mut tx, installation).await?.is_none() {
        let mut made = Secret::default();
        SysRng
            .try_fill_bytes(made.as_mut_slice())
            .map_err(|_| Fault::NoRandomness)?;
        let sealed = app.sealer.seal(SCOPE, installation.uuid(), made.as_slice())?;
        let row = SealedTokenSecret {
            key_id: sealed.key_id,
            wrapped_key: sealed.wrapped_key,
            ciphertext: sealed.ciphertext,
        };
        token_secrets::insert_if_absent(&mut tx, installation, &row).await?;
    }
    // Read back: another replica may have been first.
    let stored = token_secrets::find(&mut tx, installation).await?;
    tx.commit().await?;
    let stored = stored.ok_or(SealingError::Tampered)?;
    let sealed = Sealed {
        key_id: stored.key_id,
        wrapped_key: stored.wrapped_key,
        ciphertext: stored.ciphertext,
    };
    let opened = app.sealer.open(SCOPE, installation.uuid(), &sealed)?;
    let secret = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| SealingError::Tampered)?;
    Ok(Zeroizing::new(secret))
}
