//! What happens when a payer presses *Pay* on the hosted page.
//!
//! As since version 2025-03-31, the subscription comes into being only after its first payment: a declined card leaves
//! an open session and a payment intent, nothing else.

use serde_json::{Value, json};

use crate::agenda::Task;
use crate::billing_cycle;
use crate::cards::{self, Card};
use crate::checkout_sessions::{details, metadata_in};
use crate::customers;
use crate::errors::ApiError;
use crate::invoices;
use crate::payment_intents::{self, NewIntent, Outcome, Presence};
use crate::payment_methods::{self, Payer};
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::subscriptions::{self, NewSubscription};

/// What the payer typed.
#[derive(Clone, Debug)]
pub(crate) enum Instrument {
    Card {
        number: String,
        expiry: String,
        cvc: String,
    },
    SepaDebit {
        iban: String,
    },
}

/// How pressing *Pay* ended, where the payment was not refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The session is complete: on to `success_url`.
    Complete,
    /// The bank wants the payer's confirmation first.
    AsksPayer,
}

/// The session, if it can still be paid.
pub(crate) fn open_session(state: &State, id: &str) -> Result<Value, ApiError> {
    let session = state.get(Kind::CheckoutSession, id)?;
    match session["status"].as_str() {
        Some("open") => Ok(session),
        Some("complete") => Err(ApiError::invalid("This Checkout Session is already complete.")),
        _ => Err(ApiError::invalid("This Checkout Session has expired.")),
    }
}

/// Pays a session with what the payer typed.
pub(crate) fn pay(
    state: &mut State,
    session_id: &str,
    instrument: &Instrument,
    payer: &Payer,
) -> Result<Progress, ApiError> {
    let session = open_session(state, session_id)?;
    let method = create_method(state, instrument, payer)?;
    let payer_json = json!({"email": payer.email, "name": payer.name});
    state.set_hidden(Kind::CheckoutSession, session_id, "payer", payer_json);
    state.set_hidden(Kind::CheckoutSession, session_id, "method", method["id"].clone());
    if session["amount_total"] == json!(0) {
        complete(state, &session, &method, None, false);
        return Ok(Progress::Complete);
    }
    attempt(state, &session, &method, Presence::Present)
}

/// The payer came back from the bank's page.
pub(crate) fn authenticate(state: &mut State, session_id: &str, confirmed: bool) -> Result<Progress, ApiError> {
    let session = open_session(state, session_id)?;
    let method = state.hidden(Kind::CheckoutSession, session_id, "method");
    let method = state.get(Kind::PaymentMethod, method.as_str().unwrap_or_default())?;
    attempt(
        state,
        &session,
        &method,
        if confirmed {
            Presence::Confirmed
        } else {
            Presence::Refused
        },
    )
}

fn create_method(state: &mut State, instrument: &Instrument, payer: &Payer) -> Result<Value, ApiError> {
    match instrument {
        Instrument::Card { number, expiry, cvc } => {
            let (year, month) = year_and_month(state);
            let card: Card = cards::read_card(number, expiry, cvc, year, month)?;
            Ok(payment_methods::create_card(state, &card, payer))
        }
        Instrument::SepaDebit { iban } => {
            let (last4, behavior) = cards::read_iban(iban)?;
            Ok(payment_methods::create_sepa_debit(state, &last4, payer, behavior))
        }
    }
}

fn year_and_month(state: &State) -> (i64, i64) {
    use chrono::Datelike;
    let now = chrono::DateTime::from_timestamp(state.now(), 0).unwrap_or_default();
    (i64::from(now.year()), i64::from(now.month()))
}

fn attempt(state: &mut State, session: &Value, method: &Value, presence: Presence) -> Result<Progress, ApiError> {
    let intent = intent_of(state, session);
    match payment_intents::attempt(state, &intent, id_of(method), presence) {
        Outcome::Succeeded => {
            complete(state, session, method, Some(&intent), false);
            Ok(Progress::Complete)
        }
        Outcome::Processing { secs } => {
            complete(state, session, method, Some(&intent), true);
            state.agenda.add(state.now() + secs, Task::SettlePayment, &intent);
            Ok(Progress::Complete)
        }
        Outcome::AsksPayer => Ok(Progress::AsksPayer),
        Outcome::Declined(error) => Err(error),
    }
}

/// The session's payment intent, made at the first attempt and kept for the next.
fn intent_of(state: &mut State, session: &Value) -> String {
    let id = id_of(session);
    if let Some(intent) = state.hidden(Kind::CheckoutSession, id, "intent").as_str() {
        return intent.to_owned();
    }
    let subscription = session["mode"] == "subscription";
    let data = state.hidden(Kind::CheckoutSession, id, "payment_intent_data");
    let new = NewIntent {
        amount: session["amount_total"].as_i64().unwrap_or(0),
        currency: &session["currency"],
        customer: session["customer"].clone(),
        description: if subscription {
            json!("Subscription creation")
        } else {
            data["description"].clone()
        },
        metadata: metadata_in(&data),
        receipt_email: data["receipt_email"].clone(),
        setup_future_usage: if subscription {
            json!("off_session")
        } else {
            data["setup_future_usage"].clone()
        },
        method_types: session["payment_method_types"].clone(),
    };
    let intent = payment_intents::create(state, new);
    let intent = id_of(&intent).to_owned();
    state.set_hidden(Kind::CheckoutSession, id, "intent", json!(intent));
    intent
}

fn complete(state: &mut State, session: &Value, method: &Value, intent: Option<&str>, processing: bool) {
    let customer = customer_of(state, session);
    if let Some(intent) = intent {
        state.change(Kind::PaymentIntent, intent, None, |intent| {
            intent["customer"] = customer.clone()
        });
    }
    let subscription_mode = session["mode"] == "subscription";
    if let Some(customer) = customer.as_str()
        && subscription_mode
    {
        payment_methods::attach_to(state, id_of(method), customer);
    }
    let (subscription, invoice) = if subscription_mode {
        start_subscription(state, session, &customer, id_of(method), intent, processing)
    } else {
        (Value::Null, Value::Null)
    };
    let payer = state.hidden(Kind::CheckoutSession, id_of(session), "payer");
    let email = if payer["email"].is_null() {
        session["customer_details"]["email"].clone()
    } else {
        payer["email"].clone()
    };
    let session = state.change(Kind::CheckoutSession, id_of(session), None, |session| {
        session["status"] = json!("complete");
        session["url"] = Value::Null;
        session["customer"] = customer;
        session["customer_details"] = details(&email, &payer["name"]);
        session["payment_status"] = json!(match (intent, processing) {
            (None, _) => "no_payment_required",
            (Some(_), true) => "unpaid",
            (Some(_), false) => "paid",
        });
        session["subscription"] = subscription;
        session["invoice"] = invoice;
        if !subscription_mode {
            session["payment_intent"] = json!(intent);
        }
    });
    state.emit("checkout.session.completed", &session);
}

fn customer_of(state: &mut State, session: &Value) -> Value {
    if !session["customer"].is_null() || session["customer_creation"] == "if_required" {
        return session["customer"].clone();
    }
    let payer = state.hidden(Kind::CheckoutSession, id_of(session), "payer");
    let email = payer["email"].as_str().or(session["customer_email"].as_str());
    customers::create_for_payer(state, email, payer["name"].as_str())["id"].clone()
}

/// The subscription and its first invoice, paid unless the bank still works on it.
fn start_subscription(
    state: &mut State,
    session: &Value,
    customer: &Value,
    method: &str,
    intent: Option<&str>,
    processing: bool,
) -> (Value, Value) {
    let session_id = id_of(session);
    let data = state.hidden(Kind::CheckoutSession, session_id, "subscription_data");
    let lines = state.hidden(Kind::CheckoutSession, session_id, "line_items");
    let items = lines
        .as_array()
        .into_iter()
        .flatten()
        .map(|line| (line["price"].clone(), line["quantity"].as_i64().unwrap_or(1)))
        .collect();
    // A trial begins when the session is completed, and lasts as long as was promised when it was opened.
    let trial_end = state
        .hidden(Kind::CheckoutSession, session_id, "trial_end")
        .as_i64()
        .map(|end| match data["trial_period_days"].as_i64() {
            Some(_) => end + state.now() - session["created"].as_i64().unwrap_or_else(|| state.now()),
            None => end,
        });
    let subscription = subscriptions::create(
        state,
        NewSubscription {
            customer: customer.as_str().unwrap_or_default().to_owned(),
            metadata: metadata_in(&data),
            description: data["description"].clone(),
            items,
            trial_end,
        },
    );
    let invoice = billing_cycle::first_invoice(state, &subscription, intent);
    if processing {
        state.change(
            Kind::Subscription,
            id_of(&subscription),
            Some("customer.subscription.updated"),
            |subscription| {
                subscription["default_payment_method"] = json!(method);
            },
        );
    } else {
        invoices::mark_paid(state, id_of(&invoice));
        subscriptions::activate(state, id_of(&subscription), Some(method));
    }
    (subscription["id"].clone(), invoice["id"].clone())
}
