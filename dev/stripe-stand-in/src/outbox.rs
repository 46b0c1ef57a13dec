//! Deliveries of events to webhook endpoints: what waits, what was tried, and how deliveries are disturbed on purpose.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, machine_millis};

/// Deliveries that ended are kept for inspection up to this number.
const KEPT_ENDED: usize = 50_000;
/// Attempts of one delivery that are kept for inspection.
const KEPT_ATTEMPTS: usize = 20;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    Waiting,
    Sending,
    Delivered,
    /// Every attempt failed.
    Failed,
    /// Left out on purpose.
    Dropped,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    /// The receiver's status; none where it gave no answer.
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) duration_ms: u64,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) event: String,
    pub(crate) event_type: String,
    pub(crate) endpoint: String,
    pub(crate) state: DeliveryState,
    /// By the stand-in's clock: when the next attempt is due.
    pub(crate) due_at: Timestamp,
    /// By the machine's clock, in milliseconds: not before this moment.
    pub(crate) not_before_ms: i64,
    pub(crate) attempts: Vec<Attempt>,
}

/// How deliveries are disturbed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeliveryMode {
    /// Nothing is sent until deliveries are resumed or flushed.
    pub(crate) paused: bool,
    /// How many times each event is sent; 1 is once.
    pub(crate) copies: u32,
    /// Each delivery waits a random part of this time, so that the order is lost.
    pub(crate) shuffle_ms: u64,
    /// Each delivery waits at least this time.
    pub(crate) delay_ms: u64,
    /// Events of these types are never sent; `*` is all.
    pub(crate) drop: Vec<String>,
    /// Where not empty: only events of these types are sent.
    pub(crate) only: Vec<String>,
    /// The part of deliveries that is lost at random, 0 to 1.
    pub(crate) drop_probability: f64,
    /// Makes random choices repeatable.
    pub(crate) seed: Option<u64>,
    /// After how many seconds of the stand-in's clock a failed delivery is tried again, one entry for each retry.
    pub(crate) retry_after_secs: Vec<i64>,
}

impl Default for DeliveryMode {
    fn default() -> Self {
        Self {
            paused: false,
            copies: 1,
            shuffle_ms: 0,
            delay_ms: 0,
            drop: Vec::new(),
            only: Vec::new(),
            drop_probability: 0.0,
            seed: None,
            // Stripe promises three days of exponential backoff; the first steps are short, as development is.
            retry_after_secs: vec![5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 43_200, 43_200, 43_200],
        }
    }
}

impl DeliveryMode {
    fn drops(&self, event_type: &str) -> bool {
        let named = |types: &[String]| types.iter().any(|name| name == "*" || name == event_type);
        named(&self.drop) || (!self.only.is_empty() && !named(&self.only))
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    next_id: u64,
    deliveries: BTreeMap<u64, Delivery>,
    #[serde(skip)]
    waiting: BTreeSet<(Timestamp, u64)>,
    #[serde(skip)]
    ended: BTreeSet<u64>,
    mode: DeliveryMode,
    #[serde(skip)]
    rng: Option<StdRng>,
}

impl Outbox {
    /// Rebuilds what a snapshot leaves out; what was being sent when it was taken is sent again.
    pub(crate) fn rebuild(&mut self) {
        for (id, delivery) in &mut self.deliveries {
            match delivery.state {
                DeliveryState::Waiting | DeliveryState::Sending => {
                    delivery.state = DeliveryState::Waiting;
                    self.waiting.insert((delivery.due_at, *id));
                }
                _ => {
                    self.ended.insert(*id);
                }
            }
        }
    }

    /// An outbox that begins afresh. Numbers go on, so that what is still being sent is not taken for something new.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            next_id: self.next_id,
            ..Self::default()
        }
    }

    pub(crate) fn mode(&self) -> &DeliveryMode {
        &self.mode
    }

    pub(crate) fn set_mode(&mut self, mode: DeliveryMode) {
        self.rng = mode.seed.map(StdRng::seed_from_u64);
        self.mode = mode;
    }

    fn random(&mut self) -> f64 {
        self.rng
            .get_or_insert_with(|| StdRng::from_rng(&mut rand::rng()))
            .random()
    }

    /// Queues an event for an endpoint, as the mode says.
    pub(crate) fn enqueue(&mut self, event: &str, event_type: &str, endpoint: &str, now: Timestamp) {
        for _ in 0..self.mode.copies.max(1) {
            let lost = self.mode.drop_probability > 0.0 && self.random() < self.mode.drop_probability;
            let dropped = lost || self.mode.drops(event_type);
            let wait = if self.mode.shuffle_ms > 0 {
                (self.random() * as_float(self.mode.shuffle_ms)) as u64
            } else {
                0
            };
            let wait = i64::try_from(self.mode.delay_ms + wait).unwrap_or(i64::MAX / 2);
            let state = if dropped {
                DeliveryState::Dropped
            } else {
                DeliveryState::Waiting
            };
            self.add(event, event_type, endpoint, now, wait, state);
        }
    }

    /// Queues an event once more, whatever the mode says. Answers the delivery's id.
    pub(crate) fn redeliver(&mut self, event: &str, event_type: &str, endpoint: &str, now: Timestamp) -> u64 {
        self.add(event, event_type, endpoint, now, 0, DeliveryState::Waiting)
    }

    fn add(
        &mut self,
        event: &str,
        event_type: &str,
        endpoint: &str,
        now: Timestamp,
        wait_ms: i64,
        state: DeliveryState,
    ) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.deliveries.insert(
            id,
            Delivery {
                id,
                event: event.to_owned(),
                event_type: event_type.to_owned(),
                endpoint: endpoint.to_owned(),
                state,
                due_at: now,
                not_before_ms: machine_millis() + wait_ms,
                attempts: Vec::new(),
            },
        );
        if state == DeliveryState::Waiting {
            self.waiting.insert((now, id));
        } else {
            self.end(id);
        }
        id
    }

    /// Takes up to `count` deliveries that are due; they count as being sent.
    pub(crate) fn take_due(&mut self, count: usize, now: Timestamp) -> Vec<Delivery> {
        if self.mode.paused || count == 0 {
            return Vec::new();
        }
        let millis = machine_millis();
        let due: Vec<(Timestamp, u64)> = self
            .waiting
            .iter()
            .take_while(|(due, _)| *due <= now)
            .filter(|(_, id)| {
                self.deliveries
                    .get(id)
                    .is_some_and(|delivery| delivery.not_before_ms <= millis)
            })
            .take(count)
            .copied()
            .collect();
        due.into_iter()
            .filter_map(|key| {
                self.waiting.remove(&key);
                let delivery = self.deliveries.get_mut(&key.1)?;
                delivery.state = DeliveryState::Sending;
                Some(delivery.clone())
            })
            .collect()
    }

    /// Notes how an attempt went. True where the delivery succeeded by it.
    pub(crate) fn finish_attempt(&mut self, id: u64, attempt: Attempt, now: Timestamp) -> bool {
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return false;
        };
        let delivered = attempt.status.is_some_and(|status| (200..300).contains(&status));
        delivery.attempts.push(attempt);
        if delivery.attempts.len() > KEPT_ATTEMPTS {
            delivery.attempts.remove(0);
        }
        let retry = self.mode.retry_after_secs.get(delivery.attempts.len() - 1);
        match (delivered, retry) {
            (true, _) => delivery.state = DeliveryState::Delivered,
            (false, Some(secs)) => {
                delivery.state = DeliveryState::Waiting;
                delivery.due_at = now + secs;
                self.waiting.insert((delivery.due_at, id));
                return false;
            }
            (false, None) => delivery.state = DeliveryState::Failed,
        }
        self.end(id);
        delivered
    }

    fn end(&mut self, id: u64) {
        self.ended.insert(id);
        if self.ended.len() > KEPT_ENDED
            && let Some(oldest) = self.ended.pop_first()
        {
            self.deliveries.remove(&oldest);
        }
    }

    /// Makes everything that waits due at once, in random order where the mode shuffles.
    pub(crate) fn flush(&mut self, now: Timestamp) -> usize {
        let ids: Vec<u64> = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        let window = self.mode.shuffle_ms;
        for id in &ids {
            let wait = if window > 0 {
                (self.random() * as_float(window)) as i64
            } else {
                0
            };
            if let Some(delivery) = self.deliveries.get_mut(id) {
                delivery.due_at = now;
                delivery.not_before_ms = machine_millis() + wait;
            }
            self.waiting.insert((now, *id));
        }
        ids.len()
    }

    /// Deliveries to an endpoint that is gone end.
    pub(crate) fn forget_endpoint(&mut self, endpoint: &str) {
        let gone: Vec<u64> = self
            .deliveries
            .values()
            .filter(|delivery| delivery.endpoint == endpoint)
            .map(|delivery| delivery.id)
            .collect();
        for id in gone {
            self.deliveries.remove(&id);
            self.ended.remove(&id);
            self.waiting.retain(|(_, waiting)| *waiting != id);
        }
    }

    /// Newest first.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().rev()
    }

    pub(crate) fn count(&self, state: DeliveryState) -> usize {
        self.deliveries
            .values()
            .filter(|delivery| delivery.state == state)
            .count()
    }
}

/// Times in milliseconds are far below the 52 bits that a float holds exactly.
fn as_float(millis: u64) -> f64 {
    millis as f64
}

#[cfg(test)]
mod tests {
    use super::{Attempt, DeliveryMode, DeliveryState, Outbox};

    fn attempt(status: Option<u16>) -> Attempt {
        Attempt {
            at: 0,
            status,
            error: None,
            duration_ms: 1,
        }
    }

    #[test]
    fn failures_are_tried_again_by_the_clock() {
        let mut outbox = Outbox::default();
        outbox.set_mode(DeliveryMode {
            retry_after_secs: vec![60],
            ..DeliveryMode::default()
        });
        outbox.enqueue("evt_1", "invoice.paid", "we_1", 100);
        let sent = outbox.take_due(10, 100);
        assert_eq!(sent.len(), 1);
        assert!(!outbox.finish_attempt(sent[0].id, attempt(Some(500)), 100));
        assert!(outbox.take_due(10, 159).is_empty());
        let sent = outbox.take_due(10, 160);
        outbox.finish_attempt(sent[0].id, attempt(None), 160);
        assert_eq!(outbox.count(DeliveryState::Failed), 1);
    }

    #[test]
    fn an_attempt_from_before_a_reset_counts_for_nothing() {
        let mut outbox = Outbox::default();
        outbox.enqueue("evt_1", "invoice.paid", "we_1", 0);
        let old = outbox.take_due(1, 0);
        let mut outbox = outbox.emptied();
        outbox.enqueue("evt_2", "invoice.paid", "we_1", 0);
        assert!(!outbox.finish_attempt(old[0].id, attempt(Some(200)), 0));
        assert_eq!(outbox.take_due(1, 0)[0].event, "evt_2");
    }

    #[test]
    fn modes_copy_and_drop() {
        let mut outbox = Outbox::default();
        outbox.set_mode(DeliveryMode {
            copies: 3,
            only: vec!["invoice.paid".into()],
            ..DeliveryMode::default()
        });
        outbox.enqueue("evt_1", "invoice.paid", "we_1", 0);
        outbox.enqueue("evt_2", "invoice.created", "we_1", 0);
        assert_eq!(outbox.take_due(10, 0).len(), 3);
        assert_eq!(outbox.count(DeliveryState::Dropped), 3);
    }

    #[test]
    fn a_pause_holds_everything_until_it_ends() {
        let mut outbox = Outbox::default();
        outbox.set_mode(DeliveryMode {
            paused: true,
            ..DeliveryMode::default()
        });
        outbox.enqueue("evt_1", "invoice.paid", "we_1", 0);
        assert!(outbox.take_due(10, 0).is_empty());
        outbox.set_mode(DeliveryMode::default());
        assert_eq!(outbox.take_due(10, 0).len(), 1);
    }

    #[test]
    fn the_same_seed_loses_the_same_events() {
        let lost = |seed| {
            let mut outbox = Outbox::default();
            outbox.set_mode(DeliveryMode {
                seed: Some(seed),
                drop_probability: 0.5,
                ..DeliveryMode::default()
            });
            for number in 0..64 {
                outbox.enqueue(&format!("evt_{number}"), "invoice.paid", "we_1", 0);
            }
            outbox
                .take_due(64, 0)
                .iter()
                .map(|delivery| delivery.event.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(lost(7), lost(7));
        assert_ne!(lost(7), lost(8));
    }
}
