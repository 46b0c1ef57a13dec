//! Idempotency keys: the first answer of a key is its answer for a day.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::errors::ApiError;

/// Stripe may forget a key after this time.
const KEPT_SECS: i64 = 24 * 3_600;
const MAX_KEY_LENGTH: usize = 255;
/// Forgotten keys are looked for once this many were added.
const SWEEP_EVERY: usize = 10_000;

/// An answer as it is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedAnswer {
    pub(crate) request_id: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    fingerprint: String,
    at: Timestamp,
}

/// What a key means for a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    New,
    Replay(SavedAnswer),
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct IdempotencyKeys {
    answers: HashMap<String, SavedAnswer>,
    #[serde(skip)]
    in_progress: HashSet<String>,
    #[serde(skip)]
    added_since_sweep: usize,
}

impl IdempotencyKeys {
    /// `fingerprint` tells requests apart: method, path and parameters.
    pub(crate) fn look_up(&self, key: &str, fingerprint: &str, now: Timestamp) -> Result<Lookup, ApiError> {
        if key.len() > MAX_KEY_LENGTH {
            return Err(ApiError::invalid(format!(
                "Idempotency keys can be at most {MAX_KEY_LENGTH} characters long."
            )));
        }
        if self.in_progress.contains(key) {
            return Err(ApiError::key_in_use(key));
        }
        match self.answers.get(key) {
            Some(saved) if now - saved.at < KEPT_SECS => {
                if saved.fingerprint == fingerprint {
                    Ok(Lookup::Replay(saved.clone()))
                } else {
                    Err(ApiError::key_reused(key))
                }
            }
            _ => Ok(Lookup::New),
        }
    }

    /// Keeps an answer, if it is one that is kept: refused parameters (400), keys (401), conflicts (409) and rate
    /// limits (429) are not, since no endpoint began its work.
    pub(crate) fn save(
        &mut self,
        key: &str,
        fingerprint: &str,
        request_id: &str,
        status: u16,
        body: &str,
        now: Timestamp,
    ) {
        if matches!(status, 400 | 401 | 409 | 429) {
            return;
        }
        self.added_since_sweep += 1;
        if self.added_since_sweep >= SWEEP_EVERY {
            self.added_since_sweep = 0;
            self.answers.retain(|_, saved| now - saved.at < KEPT_SECS);
        }
        self.answers.insert(
            key.to_owned(),
            SavedAnswer {
                request_id: request_id.to_owned(),
                status,
                body: body.to_owned(),
                fingerprint: fingerprint.to_owned(),
                at: now,
            },
        );
    }

    pub(crate) fn begin(&mut self, key: &str) {
        self.in_progress.insert(key.to_owned());
    }

    pub(crate) fn end(&mut self, key: &str) {
        self.in_progress.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{IdempotencyKeys, Lookup};

    #[test]
    fn answers_are_replayed_to_the_same_request_only() {
        let mut keys = IdempotencyKeys::default();
        keys.save("k", "POST a", "req_1", 500, "{}", 0);
        assert!(matches!(keys.look_up("k", "POST a", 10), Ok(Lookup::Replay(saved)) if saved.status == 500));
        let error = keys.look_up("k", "POST b", 10).unwrap_err();
        assert_eq!(
            (error.status, error.body()["type"].as_str()),
            (400, Some("idempotency_error"))
        );
        assert_eq!(keys.look_up("k", "POST b", 24 * 3_600).unwrap(), Lookup::New);
    }

    #[test]
    fn failed_validation_and_conflicts_are_not_kept() {
        let mut keys = IdempotencyKeys::default();
        for status in [400, 401, 409, 429] {
            keys.save("k", "POST a", "req_1", status, "{}", 0);
        }
        assert_eq!(keys.look_up("k", "POST a", 1).unwrap(), Lookup::New);
        keys.begin("k");
        assert_eq!(keys.look_up("k", "POST a", 1).unwrap_err().status, 409);
        keys.end("k");
        assert_eq!(keys.look_up("k", "POST a", 1).unwrap(), Lookup::New);
    }
}
