//! What recurs: periods end, invoices are made and collected, failed ones are tried again.

use serde_json::{Value, json};

use crate::agenda::Task;
use crate::clock::Timestamp;
use crate::errors::ApiError;
use crate::invoices::{self, NewInvoice, NewLine};
use crate::payment_intents::{Outcome, Presence};
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::subscriptions::{self, end_of_period};
use crate::{settlements, subscription_items};

const DAY_SECS: i64 = 86_400;
/// Stripe leaves a renewal's invoice open for changes for about an hour.
const DRAFT_SECS: i64 = 3_600;
/// After how many days a failed renewal is tried again; then the subscription is cancelled.
const RETRY_DAYS: [i64; 3] = [3, 5, 7];

/// The first invoice of a subscription: made, finalized with the payment that checkout already has, not yet paid.
pub(crate) fn first_invoice(state: &mut State, subscription: &Value, intent: Option<&str>) -> Value {
    let trial = subscription["status"] == "trialing";
    let lines = whole_period_lines(state, subscription, trial);
    let start = subscription["start_date"].as_i64().unwrap_or_default();
    let invoice = invoices::create(
        state,
        subscription,
        NewInvoice {
            reason: "subscription_create",
            period: (start, start),
            lines,
        },
    );
    let invoice = invoices::finalize(state, id_of(&invoice), intent);
    link(state, subscription, &invoice);
    invoice
}

fn whole_period_lines(state: &State, subscription: &Value, free: bool) -> Vec<NewLine> {
    subscription_items::of(subscription)
        .iter()
        .map(|item| {
            let period = (
                item["current_period_start"].as_i64().unwrap_or_default(),
                item["current_period_end"].as_i64().unwrap_or_default(),
            );
            let amount = if free { 0 } else { subscription_items::amount(item) };
            subscription_items::line_for(state, item, amount, period)
        })
        .collect()
}

fn link(state: &mut State, subscription: &Value, invoice: &Value) {
    state.change(Kind::Subscription, id_of(subscription), None, |subscription| {
        subscription["latest_invoice"] = invoice["id"].clone();
    });
}

/// Prorations that wait for the next invoice.
pub(crate) fn keep_for_next_invoice(state: &mut State, subscription_id: &str, lines: &[NewLine]) {
    let mut kept = state.hidden(Kind::Subscription, subscription_id, "pending_lines");
    let Value::Array(kept_lines) = &mut kept else {
        let first = lines.iter().map(pending_line).collect();
        state.set_hidden(
            Kind::Subscription,
            subscription_id,
            "pending_lines",
            Value::Array(first),
        );
        return;
    };
    kept_lines.extend(lines.iter().map(pending_line));
    state.set_hidden(Kind::Subscription, subscription_id, "pending_lines", kept);
}

fn pending_line(line: &NewLine) -> Value {
    json!({
        "amount": line.amount, "description": line.description, "start": line.period.0, "end": line.period.1, "item": line.item,
    })
}

fn take_pending_lines(state: &mut State, subscription_id: &str) -> Vec<NewLine> {
    let kept = state.hidden(Kind::Subscription, subscription_id, "pending_lines");
    state.set_hidden(Kind::Subscription, subscription_id, "pending_lines", Value::Null);
    kept.as_array()
        .into_iter()
        .flatten()
        .map(|line| NewLine {
            amount: line["amount"].as_i64().unwrap_or(0),
            description: line["description"].as_str().unwrap_or_default().to_owned(),
            period: (line["start"].as_i64().unwrap_or(0), line["end"].as_i64().unwrap_or(0)),
            item: line["item"].clone(),
            proration: true,
        })
        .collect()
}

/// An invoice for a change, finalized and collected at once.
pub(crate) fn invoice_now(state: &mut State, subscription_id: &str, mut lines: Vec<NewLine>) -> Result<(), ApiError> {
    let subscription = state.get(Kind::Subscription, subscription_id)?;
    let mut all = take_pending_lines(state, subscription_id);
    all.append(&mut lines);
    if all.is_empty() {
        return Ok(());
    }
    let now = state.now();
    let invoice = invoices::create(
        state,
        &subscription,
        NewInvoice {
            reason: "subscription_update",
            period: (now, now),
            lines: all,
        },
    );
    let invoice = invoices::finalize(state, id_of(&invoice), None);
    link(state, &subscription, &invoice);
    collect(state, id_of(&invoice));
    Ok(())
}

/// A period or a trial is over, or the moment of a planned cancellation has come.
pub(crate) fn end_period(state: &mut State, id: &str) {
    let now = state.now();
    let Some(subscription) = state.store.object(Kind::Subscription, id).cloned() else {
        return;
    };
    if !matches!(
        subscription["status"].as_str(),
        Some("active" | "trialing" | "past_due")
    ) {
        return;
    }
    if subscription["cancel_at"].as_i64().is_some_and(|moment| moment <= now) {
        subscriptions::cancel_now(state, id, "cancellation_requested");
        return;
    }
    let over = |item: &Value| item["current_period_end"].as_i64().is_some_and(|end| end <= now);
    if !subscription_items::of(&subscription).iter().any(over) {
        return;
    }
    let anchor = subscription["billing_cycle_anchor"].as_i64().unwrap_or(now);
    let mut next_end = i64::MAX;
    let subscription = state.change(
        Kind::Subscription,
        id,
        Some("customer.subscription.updated"),
        |subscription| {
            if subscription["status"] == "trialing" {
                subscription["status"] = json!("active");
            }
            for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
                let start = item["current_period_end"].as_i64().unwrap_or(now);
                let end = end_of_period(&item["price"], anchor, start);
                item["current_period_start"] = json!(start);
                item["current_period_end"] = json!(end);
                next_end = next_end.min(end);
            }
        },
    );
    state.agenda.add(next_end, Task::EndSubscriptionPeriod, id);
    let mut lines = take_pending_lines(state, id);
    lines.extend(whole_period_lines(state, &subscription, false));
    let invoice = invoices::create(
        state,
        &subscription,
        NewInvoice {
            reason: "subscription_cycle",
            period: (now, now),
            lines,
        },
    );
    let due = now + DRAFT_SECS;
    let invoice = state.change(Kind::Invoice, id_of(&invoice), None, |invoice| {
        invoice["automatically_finalizes_at"] = json!(due);
        invoice["next_payment_attempt"] = json!(due);
    });
    state.agenda.add(due, Task::FinalizeInvoice, id_of(&invoice));
    link(state, &subscription, &invoice);
}

/// Three days before a trial ends its subscriber can be told.
pub(crate) fn announce_trial_end(state: &mut State, id: &str) {
    if let Some(subscription) = state.store.object(Kind::Subscription, id).cloned()
        && subscription["status"] == "trialing"
    {
        state.emit("customer.subscription.trial_will_end", &subscription);
    }
}

pub(crate) fn subscription_of(invoice: &Value) -> Option<&str> {
    invoice.pointer("/parent/subscription_details/subscription")?.as_str()
}

fn method_for(state: &State, invoice: &Value) -> Option<String> {
    let subscription = state.store.object(Kind::Subscription, subscription_of(invoice)?)?;
    let customer = state.store.object(Kind::Customer, invoice["customer"].as_str()?)?;
    [
        &subscription["default_payment_method"],
        &customer["invoice_settings"]["default_payment_method"],
    ]
    .into_iter()
    .find_map(Value::as_str)
    .map(str::to_owned)
}

/// Collects an open invoice without the payer: on failure the subscription is past due and is tried again later.
pub(crate) fn collect(state: &mut State, invoice_id: &str) {
    let Some(invoice) = state.store.object(Kind::Invoice, invoice_id).cloned() else {
        return;
    };
    if invoice["status"] != "open" {
        return;
    }
    let method = method_for(state, &invoice);
    match invoices::attempt(state, invoice_id, method.as_deref(), Presence::Away) {
        Outcome::Succeeded => resume(state, &invoice),
        Outcome::Processing { .. } => {}
        Outcome::Declined(_) | Outcome::AsksPayer => collection_failed(state, &invoice),
    }
}

fn resume(state: &mut State, invoice: &Value) {
    if let Some(subscription) = subscription_of(invoice) {
        subscriptions::activate(state, subscription, None);
    }
}

/// Notes that an attempt failed, and plans the next or gives up.
pub(crate) fn collection_failed(state: &mut State, invoice: &Value) {
    let attempts = invoice["attempt_count"]
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    let next = next_attempt(state.now(), attempts);
    invoices::mark_failed(state, id_of(invoice), next);
    let Some(subscription) = subscription_of(invoice).map(str::to_owned) else {
        return;
    };
    match next {
        Some(moment) => {
            state.agenda.add(moment, Task::RetryInvoicePayment, id_of(invoice));
            state.change(
                Kind::Subscription,
                &subscription,
                Some("customer.subscription.updated"),
                |subscription| {
                    if subscription["status"] == "active" {
                        subscription["status"] = json!("past_due");
                    }
                },
            );
        }
        None => {
            subscriptions::cancel_now(state, &subscription, "payment_failed");
        }
    }
}

fn next_attempt(now: Timestamp, attempts_before: usize) -> Option<Timestamp> {
    RETRY_DAYS.get(attempts_before).map(|days| now + days * DAY_SECS)
}

/// The planned next attempt on a failed renewal.
pub(crate) fn retry_payment(state: &mut State, invoice_id: &str) {
    let due = state
        .store
        .object(Kind::Invoice, invoice_id)
        .and_then(|invoice| invoice["next_payment_attempt"].as_i64())
        .is_some_and(|moment| moment <= state.now());
    if due {
        collect(state, invoice_id);
    }
}

/// Somebody asked for the invoice to be paid now; a refusal is the answer, and nothing else changes.
pub(crate) fn pay_now(state: &mut State, invoice_id: &str, method: Option<&str>) -> Result<(), ApiError> {
    let invoice = state.get(Kind::Invoice, invoice_id)?;
    let method = method.map(str::to_owned).or_else(|| method_for(state, &invoice));
    match invoices::attempt(state, invoice_id, method.as_deref(), Presence::Away) {
        Outcome::Succeeded => resume(state, &invoice),
        Outcome::Processing { .. } | Outcome::AsksPayer => {}
        Outcome::Declined(error) => {
            let planned = invoice["next_payment_attempt"].as_i64();
            invoices::mark_failed(state, invoice_id, planned);
            return Err(error);
        }
    }
    Ok(())
}

/// The invoice was paid elsewhere.
pub(crate) fn paid_by(state: &mut State, invoice_id: &str) -> Value {
    let invoice = invoices::mark_paid(state, invoice_id);
    resume(state, &invoice);
    settlements::release_intent(state, invoice_id);
    invoice
}
