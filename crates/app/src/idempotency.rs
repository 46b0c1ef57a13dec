//! A request that is sent again under the same key gets the same answer and does nothing twice.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tenantry_postgres::idempotency as stored;
use uuid::Uuid;

use crate::{App, error::Fault, sealing::Purpose};

/// How long an answer is kept.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// Longer than any request runs: whoever has not answered by then has died.
const ABANDONED_AFTER: TimeDelta = TimeDelta::minutes(2);

/// One request of one caller.
#[derive(Debug, Clone)]
pub struct RequestKey {
    /// Who asks: keys of two callers never meet.
    pub principal: String,
    /// The key that the client chose.
    pub key: String,
    /// Keyed hash of the request.
    pub request_hash: [u8; 32],
}

impl RequestKey {
    /// What a kept answer is sealed for: it opens for this caller's request under this key only.
    fn purpose(&self) -> Purpose<'_> {
        Purpose::Answer {
            principal: &self.principal,
            key: &self.key,
        }
    }
}

/// An answer as it is kept, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers worth keeping.
    pub headers: Vec<(String, String)>,
    /// The body, base64.
    body: String,
}

impl Answer {
    /// An answer to keep.
    #[must_use]
    pub fn new(status: u16, headers: Vec<(String, String)>, body: &[u8]) -> Self {
        Self {
            status,
            headers,
            body: BASE64.encode(body),
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        BASE64.decode(&self.body).unwrap_or_default()
    }
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Do it, then [`complete`], [`release`] or [`hand_over`].
    Fresh {
        /// The id of what it creates. An attempt that takes over from one which died gets that one's, and finds what was
        /// created already.
        act: Uuid,
    },
    /// It was done: give this answer again.
    Done(Answer),
    /// It is being done.
    InProgress,
    /// The key stands for another request.
    Reused,
}

/// Takes the key for this request.
///
/// # Errors
/// The database's, or the sealer's.
pub async fn claim(app: &App, request: &RequestKey) -> Result<Claim, Fault> {
    let now = app.clock.now();
    let mut tx = app.database.system("idempotency keys of any caller").await?;
    let claimed = stored::claim(
        &mut tx,
        &request.principal,
        &request.key,
        &request.request_hash,
        Uuid::now_v7(),
        now,
        now - ABANDONED_AFTER,
        now + KEPT_FOR,
    )
    .await?;
    if let Some(act) = claimed {
        tx.commit().await?;
        return Ok(Claim::Fresh { act });
    }
    // Released between the two statements: to the client that is the same as still being worked on.
    let Some(kept) = stored::find(&mut tx, &request.principal, &request.key).await? else {
        return Ok(Claim::InProgress);
    };
    if kept.request_hash != request.request_hash {
        return Ok(Claim::Reused);
    }
    let Some(sealed) = kept.sealed_response else {
        return Ok(Claim::InProgress);
    };
    let sealed = String::from_utf8_lossy(&sealed);
    let text = app.sealer.open_text(&request.purpose(), &sealed)?;
    Ok(Claim::Done(serde_json::from_str(&text)?))
}

/// Keeps the answer.
///
/// # Errors
/// The database's, or the sealer's.
pub async fn complete(app: &App, request: &RequestKey, answer: &Answer) -> Result<(), Fault> {
    let text = serde_json::to_string(answer)?;
    let sealed = app.sealer.seal_text(&request.purpose(), &text)?;
    let mut tx = app.database.system("idempotency keys of any caller").await?;
    stored::complete(
        &mut tx,
        &request.principal,
        &request.key,
        &request.request_hash,
        answer.status,
        sealed.as_bytes(),
    )
    .await?;
    Ok(tx.commit().await?)
}

/// The attempt failed and may have done what it was to do: the next one goes on in its place.
///
/// # Errors
/// The database's.
pub async fn hand_over(app: &App, request: &RequestKey) -> Result<(), Fault> {
    let mut tx = app.database.system("idempotency keys of any caller").await?;
    stored::hand_over(&mut tx, &request.principal, &request.key, &request.request_hash).await?;
    Ok(tx.commit().await?)
}

/// Gives the key back: the request was refused, and may be put right and sent again under it.
///
/// # Errors
/// The database's.
pub async fn release(app: &App, request: &RequestKey) -> Result<(), Fault> {
    let mut tx = app.database.system("idempotency keys of any caller").await?;
    stored::release(&mut tx, &request.principal, &request.key, &request.request_hash).await?;
    Ok(tx.commit().await?)
}
