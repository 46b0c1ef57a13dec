//! Writes to the payment provider that happen once, however often they are tried.
//!
//! The intent stands in the ledger before anything is sent. No answer, a conflict or a rate limit: the same key is sent
//! again. A failure of the provider would be replayed under that key, so the object is looked up by our identifiers
//! first, and only then another key is used; the same after a day, when the provider has forgotten the key.

mod write;

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenantry_domain::billing::{
    PaymentError,
    provider::{AfterFailure, IdempotencyKey},
};
use tenantry_postgres::billing::calls::{self, CallRow};
use tokio::time::Instant;
use uuid::Uuid;

use super::BillingFault;
use crate::{App, error::Fault};

pub(super) use write::{Write, Written};

/// The provider forgets keys after 24 hours.
const KEY_LIFETIME: TimeDelta = TimeDelta::hours(23);
/// What was made is looked for from a little before its intent: two clocks are never equal.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(10);
/// Longer than the provider is waited for: whoever has not noted an end by then has died.
const LEASE: TimeDelta = TimeDelta::seconds(90);
/// How long somebody who wants the same write waits for the one who carries it out.
const PATIENCE: Duration = Duration::from_secs(15);
/// The end is told at once; this is for when that is lost.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(150);
/// While a person waits, a longer pause is left to a later try.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is to be written, and why.
#[derive(Debug)]
pub(super) struct Intent<'a> {
    /// Names the write for good, such as `checkout:chk_…:create`.
    pub(super) key: String,
    /// For people who look at the table.
    pub(super) purpose: &'static str,
    /// Whom it concerns.
    pub(super) subject: Option<Uuid>,
    /// What is sent.
    pub(super) write: &'a Write,
}

/// Carries out a write, or finds what came of it before.
///
/// # Errors
/// The provider's last answer, after which the same intent may be tried again; or the ledger's.
pub(super) async fn perform(app: &App, intent: &Intent<'_>) -> Result<Written, BillingFault> {
    let row = take_in_hand(app, intent).await?;
    let written = perform_in_hand(app, intent, row).await;
    let mut tx = app.database.system("let go of a write").await?;
    calls::end_lease(&mut tx, &intent.key).await?;
    tx.commit().await?;
    written
}

/// Waits until nobody else carries out the same write: two would each look for the other's object too early, and make
/// it twice.
async fn take_in_hand(app: &App, intent: &Intent<'_>) -> Result<CallRow, BillingFault> {
    if let Some(row) = intend(app, intent).await? {
        return Ok(row);
    }
    let mut ends = app.ended_calls().about(app, intent.key.clone()).await;
    let give_up_at = Instant::now() + PATIENCE;
    while Instant::now() < give_up_at {
        if let Some(row) = intend(app, intent).await? {
            return Ok(row);
        }
        let look_again = (Instant::now() + LOOK_AGAIN).min(give_up_at);
        // Told or not, looking decides.
        let _ = tokio::time::timeout_at(look_again, ends.next()).await;
    }
    Err(PaymentError::Conflict {
        code: "in_hand".to_owned(),
        message: "the same write is being carried out".to_owned(),
    }
    .into())
}

async fn perform_in_hand(app: &App, intent: &Intent<'_>, row: CallRow) -> Result<Written, BillingFault> {
    if row.state == "done"
        && let Some(id) = row.result_id
    {
        return Ok(intent.write.load(app.payments.as_ref(), id).await?);
    }
    let was_sent = row.attempts > 0;
    let key_is_old = row
        .first_sent_at
        .is_some_and(|sent| app.clock.now() - sent > KEY_LIFETIME);
    let key_is_new = row.first_sent_at.is_none();
    let key_is_spent = row.error.as_ref().is_some_and(|error| error["look_up"] == true);
    let mut attempt = Attempt {
        app,
        intent,
        since: row.created_at - CLOCK_SKEW,
        key: IdempotencyKey(row.idempotency_key),
    };
    if was_sent && (key_is_old || key_is_new || key_is_spent) {
        if let Some(found) = attempt.look_up().await? {
            return Ok(found);
        }
        attempt.key = fresh_key();
    }
    attempt.run().await
}

/// `None`: somebody else has it in hand.
async fn intend(app: &App, intent: &Intent<'_>) -> Result<Option<CallRow>, BillingFault> {
    let hash = Sha256::digest(serde_json::to_vec(intent.write).map_err(Fault::from)?);
    let mut tx = app
        .database
        .system("record the intent of a write to the payment provider")
        .await?;
    let key = fresh_key();
    let now = app.clock.now();
    let row = calls::intend(&mut tx, &intent.key, intent.purpose, intent.subject, &hash, &key.0).await?;
    let is_ours = calls::lease(&mut tx, &intent.key, now, now + LEASE).await?;
    if !is_ours {
        // What was intended stays as whoever carries it out knows it.
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(row))
}

fn fresh_key() -> IdempotencyKey {
    IdempotencyKey(format!("tenantry-{}", Uuid::now_v7().simple()))
}

struct Attempt<'a> {
    app: &'a App,
    intent: &'a Intent<'a>,
    since: chrono::DateTime<chrono::Utc>,
    key: IdempotencyKey,
}

impl Attempt<'_> {
    async fn run(&mut self) -> Result<Written, BillingFault> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            self.note_sent().await?;
            let error = match self.intent.write.send(self.app.payments.as_ref(), &self.key).await {
                Ok(written) => {
                    self.note("done", Some(&written.id), None).await?;
                    return Ok(written);
                }
                Err(error) => error,
            };
            let next = error.after_failure();
            let state = if next == AfterFailure::GiveUp { "failed" } else { "sent" };
            self.note(state, None, Some(&error)).await?;
            if next == AfterFailure::LookUpThenNewKey {
                if let Some(found) = self.look_up().await? {
                    return Ok(found);
                }
                self.key = fresh_key();
            }
            pause = match &error {
                PaymentError::RateLimited {
                    retry_after: Some(wanted),
                } => *wanted,
                _ => pause * 2,
            };
            let waits_too_long = matches!(error, PaymentError::Timeout | PaymentError::Unauthorized { .. });
            if next == AfterFailure::GiveUp || waits_too_long || tries == TRIES || pause > LONGEST_PAUSE {
                return Err(error.into());
            }
            tries += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// What an earlier try made, if it made anything.
    async fn look_up(&self) -> Result<Option<Written>, BillingFault> {
        let Some(found) = self
            .intent
            .write
            .look_up(self.app.payments.as_ref(), self.since)
            .await?
        else {
            return Ok(None);
        };
        self.note("done", Some(&found.id), None).await?;
        Ok(Some(found))
    }

    async fn note_sent(&self) -> Result<(), BillingFault> {
        let mut tx = self.app.database.system("note that a write is sent").await?;
        let now = self.app.clock.now();
        calls::set_sent(&mut tx, &self.intent.key, &self.key.0, now, now + LEASE).await?;
        Ok(tx.commit().await?)
    }

    async fn note(&self, state: &str, result: Option<&str>, error: Option<&PaymentError>) -> Result<(), BillingFault> {
        let error = error.map(|error| {
            json!({
                "code": error.code(),
                "detail": error.to_string(),
                "look_up": error.after_failure() == AfterFailure::LookUpThenNewKey,
            })
        });
        let mut tx = self.app.database.system("note what came of a write").await?;
        calls::set_result(
            &mut tx,
            &self.intent.key,
            state,
            result,
            error.as_ref(),
            self.app.clock.now(),
        )
        .await?;
        Ok(tx.commit().await?)
    }
}
