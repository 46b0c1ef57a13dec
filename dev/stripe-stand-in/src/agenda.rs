//! What is to happen by itself when the clock reaches a moment.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::state::State;
use crate::{billing_cycle, checkout_sessions, invoices, settlements, subscriptions};

/// A thing that happens by itself. Each looks at its object again when it is due: what changed meanwhile wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Task {
    ExpireCheckoutSession,
    SettlePayment,
    ExpireIncompleteSubscription,
    AnnounceTrialEnd,
    EndSubscriptionPeriod,
    FinalizeInvoice,
    RetryInvoicePayment,
}

/// Tasks in the order of their moments.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Agenda {
    entries: BTreeSet<(Timestamp, Task, String)>,
}

impl Agenda {
    pub(crate) fn add(&mut self, due: Timestamp, task: Task, object_id: &str) {
        self.entries.insert((due, task, object_id.to_owned()));
    }

    fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Task, String)> {
        if self.entries.first()?.0 > now {
            return None;
        }
        self.entries.pop_first()
    }
}

/// Does everything that is due, in order, each at its own moment, and says how many things that were.
pub(crate) fn run_due(state: &mut State) -> usize {
    let now = state.clock.now();
    let mut done = 0;
    while let Some((due, task, id)) = state.agenda.take_due(now) {
        state.clock.hold_at(due);
        state.revision += 1;
        match task {
            Task::ExpireCheckoutSession => checkout_sessions::expire_if_due(state, &id),
            Task::SettlePayment => {
                settlements::settle(state, &id, None);
            }
            Task::ExpireIncompleteSubscription => subscriptions::expire_incomplete(state, &id),
            Task::AnnounceTrialEnd => billing_cycle::announce_trial_end(state, &id),
            Task::EndSubscriptionPeriod => billing_cycle::end_period(state, &id),
            Task::FinalizeInvoice => invoices::finalize_and_collect(state, &id),
            Task::RetryInvoicePayment => billing_cycle::retry_payment(state, &id),
        }
        done += 1;
    }
    state.clock.release();
    done
}

#[cfg(test)]
mod tests {
    use super::{Agenda, Task};

    #[test]
    fn tasks_come_in_order_and_not_early() {
        let mut agenda = Agenda::default();
        agenda.add(20, Task::FinalizeInvoice, "in_2");
        agenda.add(10, Task::FinalizeInvoice, "in_1");
        assert_eq!(agenda.take_due(15).map(|entry| entry.2), Some("in_1".to_owned()));
        assert_eq!(agenda.take_due(15), None);
    }
}
