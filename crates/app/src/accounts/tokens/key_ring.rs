//! The keys in memory: opened once, read again now and then, so that every replica signs with the same key and believes
//! the same ones.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use tenantry_domain::accounts::tokens::{KeyTimes, SigningAlgorithm};
use tenantry_postgres::accounts::signing_keys::{self, SigningKeyRow};
use tokio::sync::{Mutex, OnceCell};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{key_pair, keys};
use crate::{
    App,
    error::Fault,
    follow::{Followed, follow},
    sealing::Purpose,
};

/// What is younger is used as it is.
const FRESH_FOR: TimeDelta = TimeDelta::seconds(60);
/// What is younger is used while somebody reads again in the background: nobody waits for a list that is good enough.
const USABLE_FOR: TimeDelta = TimeDelta::minutes(10);
/// A token may name a key that is newer than what is held; whoever makes names up has the ledger read this often.
const READ_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(5);

/// A key, ready for use.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) times: KeyTimes,
    pub(super) verifying: DecodingKey,
    /// Missing when the master key that seals it is not configured here: others' tokens are still believed.
    pub(super) signing: Option<EncodingKey>,
    public_jwk: Value,
}

/// The keys that were published when they were read.
pub(super) struct Published {
    read_at: DateTime<Utc>,
    /// Of two readings the one that began later knows more.
    reading: u64,
    pub(super) keys: Vec<Key>,
}

impl Published {
    fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        (now - self.read_at).abs()
    }

    /// The key that signs now: the newest of those that may.
    pub(super) fn signing(&self, algorithm: SigningAlgorithm, now: DateTime<Utc>) -> Option<&Key> {
        self.keys
            .iter()
            .filter(|key| key.algorithm == algorithm && key.times.may_sign(now) && key.signing.is_some())
            .max_by_key(|key| key.times.not_before)
    }

    fn find(&self, kid: &str, now: DateTime<Utc>) -> Option<&Key> {
        self.keys
            .iter()
            .find(|key| key.kid == kid && key.times.is_published(now))
    }
}

/// What this process holds of them, and of the secret that refresh tokens are derived with.
#[derive(Default)]
pub(crate) struct KeyRing {
    held: RwLock<Option<Arc<Published>>>,
    reading: Mutex<()>,
    readings: AtomicU64,
    pub(super) installation_secret: OnceCell<Zeroizing<[u8; 32]>>,
}

impl KeyRing {
    fn held(&self) -> Option<Arc<Published>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, published: Arc<Published>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // What began before a key was revoked must not bring it back.
        if held.as_ref().is_none_or(|held| held.reading < published.reading) {
            *held = Some(published);
        }
    }
}

/// The keys as they are in the ledger, or were a short while ago.
pub(super) async fn published(app: &App) -> Result<Arc<Published>, Fault> {
    let now = app.clock.now();
    match app.key_ring().held() {
        Some(held) if held.age(now) < FRESH_FOR => Ok(held),
        Some(held) if held.age(now) < USABLE_FOR => {
            let app = app.clone();
            tokio::spawn(async move {
                if let Err(error) = read_once(&app, FRESH_FOR).await {
                    tracing::warn!(%error, "signing keys cannot be read again now; those that are held go on");
                }
            });
            Ok(held)
        }
        _ => read_once(app, FRESH_FOR).await,
    }
}

/// The published key of this name. One that is not held is looked for in the ledger, but not for everybody who asks.
pub(super) async fn find_key(app: &App, kid: &str) -> Result<Option<Arc<Published>>, Fault> {
    let now = app.clock.now();
    let held = published(app).await?;
    if held.find(kid, now).is_some() {
        return Ok(Some(held));
    }
    let read = read_once(app, READ_AGAIN_AFTER).await?;
    Ok(read.find(kid, now).is_some().then_some(read))
}

/// Borrows a key from what [`find_key`] returned.
pub(super) fn named<'a>(published: &'a Published, kid: &str, now: DateTime<Utc>) -> Option<&'a Key> {
    published.find(kid, now)
}

/// Reads the ledger, unless somebody did while we waited for our turn.
async fn read_once(app: &App, young_enough: TimeDelta) -> Result<Arc<Published>, Fault> {
    let _turn = app.key_ring().reading.lock().await;
    let now = app.clock.now();
    if let Some(held) = app.key_ring().held().filter(|held| held.age(now) < young_enough) {
        return Ok(held);
    }
    read(app).await
}

/// Reads the keys again whenever one was made or revoked anywhere, until `stop`.
pub async fn follow_keys(app: App, stop: CancellationToken) {
    let keys = Followed {
        channel: "signing_keys_changed",
        what: "the signing keys",
        read: read_again,
    };
    follow(app, keys, stop).await;
}

fn read_again(app: &App) -> BoxFuture<'_, Result<(), Fault>> {
    Box::pin(async move { read(app).await.map(drop) })
}

/// Reads the ledger.
pub(super) async fn read(app: &App) -> Result<Arc<Published>, Fault> {
    let reading = app.key_ring().readings.fetch_add(1, Ordering::SeqCst) + 1;
    let now = app.clock.now();
    let mut tx = app.database.read_system("read the signing keys").await?;
    let rows = signing_keys::list_published(&mut tx, now).await?;
    tx.commit().await?;
    let keys = rows.into_iter().map(|row| open(app, row)).collect::<Result<_, _>>()?;
    let published = Arc::new(Published {
        read_at: now,
        reading,
        keys,
    });
    app.key_ring().hold(Arc::clone(&published));
    Ok(published)
}

fn open(app: &App, row: SigningKeyRow) -> Result<Key, Fault> {
    let purpose = Purpose::SigningKey { kid: &row.kid };
    let signing = match app.sealer.open_text(&purpose, &row.sealed_private) {
        Ok(private) => key_pair::signing_key(row.algorithm, &private),
        Err(error) => {
            tracing::error!(kid = row.kid, %error, "a signing key does not open; it verifies, but does not sign here");
            None
        }
    };
    Ok(Key {
        verifying: key_pair::verifying_key(row.algorithm, &row.public_jwk)?,
        kid: row.kid,
        algorithm: row.algorithm,
        times: row.times,
        signing,
        public_jwk: row.public_jwk,
    })
}

/// The public halves of all published keys (RFC 7517), those of both algorithms.
///
/// # Errors
/// The ledger's.
pub async fn jwks(app: &App) -> Result<Value, Fault> {
    let now = app.clock.now();
    let mut held = published(app).await?;
    for algorithm in SigningAlgorithm::ALL {
        if held.signing(algorithm, now).is_none() {
            held = keys::make_first(app, algorithm).await?;
        }
    }
    let keys: Vec<&Value> = held
        .keys
        .iter()
        .filter(|key| key.times.is_published(now))
        .map(|key| &key.public_jwk)
        .collect();
    Ok(json!({ "keys": keys }))
}
