//! Keys are made on first need, and replaced on schedule or by command.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;
use tenantry_domain::accounts::tokens::{KeyTimes, SigningAlgorithm};
use tenantry_postgres::{
    SystemTx,
    accounts::signing_keys::{self, SigningKeyRow},
};

use super::{
    KeyError,
    key_pair::{self, KeyPair},
    key_ring::{self, Published},
};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
    sealing::Purpose,
};

/// Who acts when nobody asked.
const SCHEDULE: &str = "schedule";

/// A key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Names it in the header of tokens.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Its life.
    pub times: KeyTimes,
    /// Whether it is the one that signs now.
    pub signs: bool,
}

/// Every published key, the newest of each algorithm first.
///
/// # Errors
/// The ledger's.
pub async fn list_keys(app: &App) -> Result<Vec<SigningKey>, Fault> {
    let now = app.clock.now();
    let published = key_ring::read(app).await?;
    Ok(published
        .keys
        .iter()
        .map(|key| SigningKey {
            kid: key.kid.clone(),
            algorithm: key.algorithm,
            times: key.times,
            signs: published
                .signing(key.algorithm, now)
                .is_some_and(|signing| signing.kid == key.kid),
        })
        .collect())
}

/// Makes a successor for the key of an algorithm: published now, signing a day later, when its predecessor stops.
///
/// # Errors
/// The ledger's, or a key that cannot be made.
pub async fn rotate_keys(app: &App, algorithm: SigningAlgorithm, actor: &str) -> Result<SigningKey, Fault> {
    let pair = key_pair::generate(algorithm).await?;
    let now = app.clock.now();
    let mut tx = app.database.system("replace a signing key").await?;
    signing_keys::lock(&mut tx).await?;
    let has_one = newest(&mut tx, algorithm, now)
        .await?
        .is_some_and(|times| times.may_sign(now));
    let times = if has_one {
        KeyTimes::successor(now)
    } else {
        KeyTimes::first(now)
    };
    let kid = add(app, &mut tx, algorithm, pair, times, actor).await?;
    tx.commit().await?;
    key_ring::read(app).await?;
    Ok(SigningKey {
        kid,
        algorithm,
        times,
        signs: !has_one,
    })
}

/// A key that is believed no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedKey {
    /// Which.
    pub kid: String,
    /// What it signed with.
    pub algorithm: SigningAlgorithm,
    /// Since when.
    pub revoked_at: DateTime<Utc>,
    /// What was made in its place; none where others sign, or it was revoked before.
    pub successor: Option<SigningKey>,
}

/// Takes a key out of use at once, on every server: it signs nothing more, what it signed is refused, and it is on the list
/// no longer. Where nobody else signs, a new key does from now on. Again does nothing. `None` when there is no such key.
///
/// # Errors
/// The ledger's, or a key that cannot be made.
pub async fn revoke_key(app: &App, kid: &str, actor: &str) -> Result<Option<RevokedKey>, Fault> {
    let mut tx = app.database.read_system("find a signing key to revoke").await?;
    let found = signing_keys::find(&mut tx, kid).await?;
    tx.commit().await?;
    let Some((algorithm, _)) = found else { return Ok(None) };
    // Before the lock: a key of RSA takes a while.
    let pair = key_pair::generate(algorithm).await?;
    let now = app.clock.now().trunc_subsecs(6);
    let mut tx = app.database.system("revoke a signing key").await?;
    signing_keys::lock(&mut tx).await?;
    let mut revoked = RevokedKey {
        kid: kid.to_owned(),
        algorithm,
        revoked_at: now,
        successor: None,
    };
    if signing_keys::revoke(&mut tx, kid, now).await? {
        let act = Act::new("signing_key.revoked", actor)
            .target(kid)
            .body(json!({ "algorithm": algorithm.as_str() }));
        audit::record(app, &mut tx, act).await?;
        revoked.successor = replace(app, &mut tx, algorithm, pair, now, actor).await?;
    } else if let Some((_, Some(before))) = signing_keys::find(&mut tx, kid).await? {
        revoked.revoked_at = before;
    }
    tx.commit().await?;
    key_ring::read(app).await?;
    Ok(Some(revoked))
}

/// Makes a key where a revoked one leaves a gap, now or when its predecessor stops.
async fn replace(
    app: &App,
    tx: &mut SystemTx,
    algorithm: SigningAlgorithm,
    pair: KeyPair,
    now: DateTime<Utc>,
    actor: &str,
) -> Result<Option<SigningKey>, Fault> {
    let left: Vec<KeyTimes> = signing_keys::list_published(tx, now)
        .await?
        .into_iter()
        .filter(|key| key.algorithm == algorithm)
        .map(|key| key.times)
        .collect();
    let signs = left.iter().any(|times| times.may_sign(now));
    let last = left.iter().max_by_key(|times| times.retire_at);
    let times = match last {
        Some(last) if signs && last.needs_successor(now) => KeyTimes::successor_of(last, now),
        Some(_) if signs => return Ok(None),
        _ => KeyTimes::first(now),
    };
    let kid = add(app, tx, algorithm, pair, times, actor).await?;
    Ok(Some(SigningKey {
        kid,
        algorithm,
        times,
        signs: times.may_sign(now),
    }))
}

/// Makes the first key of each algorithm, and successors for those that retire soon. For a timer; several replicas may
/// run it at once.
///
/// # Errors
/// The ledger's, or a key that cannot be made.
pub async fn keep_keys_fresh(app: &App) -> Result<(), Fault> {
    for algorithm in SigningAlgorithm::ALL {
        let now = app.clock.now();
        let mut tx = app.database.read_system("look at the age of signing keys").await?;
        let newest_key = newest(&mut tx, algorithm, now).await?;
        tx.commit().await?;
        match newest_key {
            Some(times) if !times.needs_successor(now) => continue,
            _ => {}
        }
        let pair = key_pair::generate(algorithm).await?;
        let mut tx = app.database.system("keep signing keys fresh").await?;
        signing_keys::lock(&mut tx).await?;
        let newest_key = newest(&mut tx, algorithm, now).await?;
        let times = match newest_key {
            // Another replica was first.
            Some(times) if !times.needs_successor(now) => continue,
            Some(times) if times.may_sign(now) => KeyTimes::successor(now),
            _ => KeyTimes::first(now),
        };
        add(app, &mut tx, algorithm, pair, times, SCHEDULE).await?;
        tx.commit().await?;
        key_ring::read(app).await?;
    }
    Ok(())
}

/// Makes a key that signs at once, unless there is one by now.
pub(super) async fn make_first(app: &App, algorithm: SigningAlgorithm) -> Result<Arc<Published>, Fault> {
    let pair = key_pair::generate(algorithm).await?;
    let now = app.clock.now();
    let mut tx = app.database.system("make the first signing key").await?;
    signing_keys::lock(&mut tx).await?;
    let is_missing = !signing_keys::list_published(&mut tx, now)
        .await?
        .iter()
        .any(|key| key.algorithm == algorithm && key.times.may_sign(now));
    if is_missing {
        add(app, &mut tx, algorithm, pair, KeyTimes::first(now), SCHEDULE).await?;
    }
    tx.commit().await?;
    let published = key_ring::read(app).await?;
    if published.signing(algorithm, now).is_none() {
        return Err(KeyError::NoKey(algorithm.as_str()).into());
    }
    Ok(published)
}

/// The life of the key that begins to sign last.
async fn newest(tx: &mut SystemTx, algorithm: SigningAlgorithm, now: DateTime<Utc>) -> Result<Option<KeyTimes>, Fault> {
    let published = signing_keys::list_published(tx, now).await?;
    Ok(published
        .into_iter()
        .filter(|key| key.algorithm == algorithm && now < key.times.retire_at)
        .map(|key| key.times)
        .max_by_key(|times| times.not_before))
}

async fn add(
    app: &App,
    tx: &mut SystemTx,
    algorithm: SigningAlgorithm,
    pair: KeyPair,
    times: KeyTimes,
    actor: &str,
) -> Result<String, Fault> {
    let purpose = Purpose::SigningKey { kid: &pair.kid };
    let row = SigningKeyRow {
        sealed_private: app.sealer.seal_text(&purpose, &pair.private)?,
        kid: pair.kid,
        algorithm,
        public_jwk: pair.public_jwk,
        times,
    };
    signing_keys::add(tx, &row).await?;
    let act = Act::new("signing_key.made", actor)
        .target(&row.kid)
        .body(json!({ "algorithm": algorithm.as_str(), "signs_from": times.not_before }));
    audit::record(app, &mut *tx, act).await?;
    Ok(row.kid)
}
