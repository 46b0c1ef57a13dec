//! The secret that an installation derives its other keys from.

use rand::{TryRng, rngs::SysRng};
use tenantry_domain::ids::InstallationId;
use tenantry_postgres::{
    Database,
    sealed_secrets::{self, SealedSecret},
};
use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, MasterKeys, Place, SealingError};
use crate::error::Fault;

const SCOPE: &str = "installation";
const NAME: &str = "derivation";

/// The secret in the ledger. Of several servers that start on a fresh ledger, the first one draws it for all.
pub(super) async fn load_or_draw(
    keys: &MasterKeys,
    database: &Database,
    installation: InstallationId,
) -> Result<Key, Fault> {
    let owner = installation.uuid();
    let mut tx = database
        .system("read the secret that other keys are derived from")
        .await?;
    let stored = match sealed_secrets::find(&mut tx, SCOPE, owner, NAME).await? {
        Some(stored) => stored,
        None => {
            let drawn = draw(keys, installation)?;
            sealed_secrets::insert_if_absent(&mut tx, SCOPE, None, owner, &drawn).await?;
            sealed_secrets::find(&mut tx, SCOPE, owner, NAME)
                .await?
                .unwrap_or(drawn)
        }
    };
    tx.commit().await?;
    let opened = keys.open_secret(place(installation), stored)?;
    let secret = <[u8; KEY_BYTES]>::try_from(opened.as_slice()).map_err(|_| SealingError::Tampered)?;
    Ok(Zeroizing::new(secret))
}

fn draw(keys: &MasterKeys, installation: InstallationId) -> Result<SealedSecret, SealingError> {
    let mut secret: Key = Zeroizing::new([0; KEY_BYTES]);
    SysRng
        .try_fill_bytes(secret.as_mut_slice())
        .map_err(|_| SealingError::NoRandomness)?;
    keys.seal_secret(place(installation), secret.as_slice())
}

fn place(installation: InstallationId) -> Place<'static> {
    Place {
        scope: SCOPE,
        organization: None,
        owner: installation.uuid(),
        name: NAME,
    }
}
