//! What the log keeps of a person beside the act, sealed under a key of that person's own. The rows can be changed by nobody;
//! who is to be forgotten loses the key.

use std::net::IpAddr;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use rand::{TryRng, rngs::SysRng};
use serde::{Deserialize, Serialize};
use tenantry_domain::ids::{AuditEventId, UserId};
use tenantry_postgres::{
    DatabaseError, Scoped,
    audit::{self, PersonalKeyRow},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    App,
    error::Fault,
    sealing::{Purpose, Sealed, SealingError},
};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

type Key = Zeroizing<[u8; KEY_BYTES]>;

/// What is known of whoever acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// Where from.
    pub address: IpAddr,
}

/// What is known of whoever did the act; nothing when nothing was kept, or the person was erased since.
///
/// # Errors
/// The ledger's, and a key or text that does not open.
pub async fn find_personal(app: &App, event: AuditEventId) -> Result<Option<Personal>, Fault> {
    let mut tx = app.database.read_system("read what the log keeps of a person").await?;
    let Some((user, sealed)) = audit::find_sealed(&mut tx, event).await? else {
        return Ok(None);
    };
    let subject = user.unwrap_or_default();
    let Some(row) = audit::find_key(&mut tx, subject).await? else {
        return Ok(None);
    };
    tx.commit().await?;
    let opened = decrypt(&open_key(app, subject, row)?, event, &sealed)?;
    Ok(Some(serde_json::from_slice(&opened)?))
}

/// Seals for the log. The person's key is made by the first act that needs it, in the act's own transaction, which is the
/// person's or the system's.
pub(super) async fn seal<T: Scoped>(
    app: &App,
    tx: &mut T,
    user: Option<UserId>,
    event: AuditEventId,
    personal: &Personal,
) -> Result<Vec<u8>, DatabaseError> {
    let subject = user.map(UserId::uuid).unwrap_or_default();
    let key = find_or_make(app, tx, subject).await?;
    let text = serde_json::to_vec(personal).map_err(|error| unsealable(error.into()))?;
    encrypt(&key, event, &text).map_err(|error| unsealable(error.into()))
}

async fn find_or_make<T: Scoped>(app: &App, tx: &mut T, subject: Uuid) -> Result<Key, DatabaseError> {
    if let Some(row) = audit::find_key(tx.session(), subject).await? {
        return open_key(app, subject, row).map_err(|error| unsealable(error.into()));
    }
    let made = draw_key(app, subject).map_err(|error| unsealable(error.into()))?;
    audit::insert_key(tx.session(), subject, &made, app.clock.now()).await?;
    // Of two first acts at once the one that committed counts.
    let row = audit::find_key(tx.session(), subject)
        .await?
        .ok_or(DatabaseError::NotFound)?;
    open_key(app, subject, row).map_err(|error| unsealable(error.into()))
}

fn draw_key(app: &App, subject: Uuid) -> Result<PersonalKeyRow, SealingError> {
    let mut key: Key = Zeroizing::new([0; KEY_BYTES]);
    SysRng
        .try_fill_bytes(key.as_mut_slice())
        .map_err(|_| SealingError::NoRandomness)?;
    let sealed = app.sealer.seal(&Purpose::PersonalKey { subject }, key.as_slice())?;
    Ok(PersonalKeyRow {
        key_id: sealed.key_id,
        wrapped_key: sealed.wrapped_key,
        ciphertext: sealed.ciphertext,
    })
}

fn open_key(app: &App, subject: Uuid, row: PersonalKeyRow) -> Result<Key, SealingError> {
    let purpose = Purpose::PersonalKey { subject };
    let sealed = Sealed {
        format: purpose.format(),
        key_id: row.key_id,
        wrapped_key: row.wrapped_key,
        ciphertext: row.ciphertext,
    };
    let opened = app.sealer.open(&purpose, &sealed)?;
    <[u8; KEY_BYTES]>::try_from(opened.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| SealingError::Tampered)
}

/// The event is bound in, so that what was sealed beside one act cannot be laid beside another.
fn encrypt(key: &Key, event: AuditEventId, text: &[u8]) -> Result<Vec<u8>, SealingError> {
    let mut nonce = [0; NONCE_BYTES];
    SysRng
        .try_fill_bytes(&mut nonce)
        .map_err(|_| SealingError::NoRandomness)?;
    let event = event.uuid();
    let payload = Payload {
        msg: text,
        aad: event.as_bytes(),
    };
    let encrypted = cipher(key)?
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| SealingError::Tampered)?;
    Ok([nonce.as_slice(), &encrypted].concat())
}

fn decrypt(key: &Key, event: AuditEventId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let (nonce, encrypted) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(SealingError::Tampered)?;
    let event = event.uuid();
    let payload = Payload {
        msg: encrypted,
        aad: event.as_bytes(),
    };
    cipher(key)?
        .decrypt(&Nonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| SealingError::Tampered)
}

fn cipher(key: &Key) -> Result<Aes256Gcm, SealingError> {
    Aes256Gcm::new_from_slice(key.as_slice()).map_err(|_| SealingError::Tampered)
}

/// A value that cannot be brought into the form in which the ledger keeps it.
fn unsealable(error: Box<dyn std::error::Error + Send + Sync>) -> DatabaseError {
    sqlx::Error::Encode(error).into()
}
