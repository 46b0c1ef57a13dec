//! The secret that successors of refresh tokens are derived with. It is made once for the installation and kept sealed,
//! so that it stays the same when the master key is replaced.

use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use tenantry_postgres::sealed_secrets;
use zeroize::Zeroizing;

use super::super::OpaqueToken;
use crate::{
    App,
    error::Fault,
    sealing::{Place, SealingError},
};

const SCOPE: &str = "refresh_tokens";
const NAME: &str = "successors";

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
    let place = Place {
        scope: SCOPE,
        organization: None,
        owner: app.settings.installation.uuid(),
        name: NAME,
    };
    let mut tx = app.database.system("the secret behind refresh tokens").await?;
    if sealed_secrets::find(&mut tx, SCOPE, place.owner, NAME).await?.is_none() {
        let mut made = Secret::default();
        SysRng
            .try_fill_bytes(made.as_mut_slice())
            .map_err(|_| Fault::NoRandomness)?;
        let row = app.sealer.seal_secret(place, made.as_slice())?;
        sealed_secrets::insert_if_absent(&mut tx, SCOPE, None, place.owner, &row).await?;
    }
    // Read back: another replica may have been first.
    let stored = sealed_secrets::find(&mut tx, SCOPE, place.owner, NAME).await?;
    tx.commit().await?;
    let opened = app.sealer.open_secret(place, stored.ok_or(SealingError::Tampered)?)?;
    let secret = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| SealingError::Tampered)?;
    Ok(Zeroizing::new(secret))
}
