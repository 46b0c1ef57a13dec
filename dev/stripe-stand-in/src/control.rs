//! `/_control`: what tests and demonstrations may do to the stand-in. Nothing of this exists at Stripe.

use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agenda;
use crate::checkout_payment::{self, Instrument, Progress};
use crate::errors::ApiError;
use crate::faults::Fault;
use crate::outbox::{Delivery, DeliveryMode, DeliveryState};
use crate::payment_methods::Payer;
use crate::routes;
use crate::server::App;
use crate::settlements;
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::webhook_endpoints;

/// The farthest that one call moves the clock: ten years.
const MAX_ADVANCE_SECS: i64 = 10 * 366 * 86_400;
const DEFAULT_DELIVERIES: usize = 100;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(status))
        .route("/health", get(health))
        .route("/calls", get(calls))
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance_clock))
        .route("/deliveries", get(list_deliveries))
        .route("/deliveries/mode", get(delivery_mode).put(set_delivery_mode))
        .route("/deliveries/pause", post(pause))
        .route("/deliveries/resume", post(resume))
        .route("/deliveries/flush", post(flush))
        .route("/events/{id}/redeliver", post(redeliver))
        .route("/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/checkout/sessions/{id}/complete", post(complete_session))
        .route("/checkout/sessions/{id}/authenticate", post(authenticate_session))
        .route("/payment_intents/{id}/settle", post(settle_payment))
        .route("/webhook_endpoints/{id}/secret", get(endpoint_secret))
        .route("/state", delete(reset))
}

/// A refusal, in the same shape as the API's.
struct Refusal(ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({"error": self.0.body()}))).into_response()
    }
}

type Answer = Result<Json<Value>, Refusal>;

fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Answers once the program serves: for scripts that wait for it.
async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn status(Extract(app): Extract<App>) -> Json<Value> {
    let state = app.shared.lock();
    Json(json!({
        "program": "tenantry-stripe-stand-in",
        "is_stripe": false,
        "api_version": crate::state::API_VERSION,
        "now": state.now(),
        "objects": {
            "customers": state.store.count(Kind::Customer),
            "checkout_sessions": state.store.count(Kind::CheckoutSession),
            "subscriptions": state.store.count(Kind::Subscription),
            "invoices": state.store.count(Kind::Invoice),
            "payment_intents": state.store.count(Kind::PaymentIntent),
            "events": state.store.count(Kind::Event),
            "webhook_endpoints": state.store.count(Kind::WebhookEndpoint),
        },
        "deliveries": delivery_counts(&state),
    }))
}

fn delivery_counts(state: &State) -> Value {
    json!({
        "waiting": state.outbox.count(DeliveryState::Waiting),
        "sending": state.outbox.count(DeliveryState::Sending),
        "delivered": state.outbox.count(DeliveryState::Delivered),
        "failed": state.outbox.count(DeliveryState::Failed),
        "dropped": state.outbox.count(DeliveryState::Dropped),
    })
}

/// The simulated calls and their parameters.
async fn calls() -> Json<Value> {
    Json(routes::outline())
}

async fn clock(Extract(app): Extract<App>) -> Json<Value> {
    let state = app.shared.lock();
    Json(json!({"now": state.now(), "offset_secs": state.clock.offset_secs()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

async fn advance_clock(Extract(app): Extract<App>, Json(advance): Json<Advance>) -> Answer {
    if !(0..=MAX_ADVANCE_SECS).contains(&advance.seconds) {
        return Err(ApiError::invalid(format!(
            "seconds must be between 0 and {MAX_ADVANCE_SECS}: time only moves forward."
        ))
        .into());
    }
    let answer = {
        let mut state = app.shared.lock();
        state.revision += 1;
        state.clock.advance(advance.seconds);
        let done = agenda::run_due(&mut state);
        json!({"now": state.now(), "offset_secs": state.clock.offset_secs(), "tasks_done": done})
    };
    app.shared.deliveries.notify_one();
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct DeliveryQuery {
    state: Option<DeliveryState>,
    event: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    limit: Option<usize>,
}

async fn list_deliveries(Extract(app): Extract<App>, Query(query): Query<DeliveryQuery>) -> Json<Value> {
    let state = app.shared.lock();
    let wanted = |delivery: &&Delivery| {
        query.state.is_none_or(|wanted| delivery.state == wanted)
            && query.event.as_ref().is_none_or(|wanted| delivery.event == *wanted)
            && query
                .event_type
                .as_ref()
                .is_none_or(|wanted| delivery.event_type == *wanted)
    };
    let limit = query.limit.unwrap_or(DEFAULT_DELIVERIES);
    let deliveries: Vec<Value> = state
        .outbox
        .deliveries()
        .filter(wanted)
        .take(limit)
        .map(to_json)
        .collect();
    Json(json!({"counts": delivery_counts(&state), "data": deliveries}))
}

async fn delivery_mode(Extract(app): Extract<App>) -> Json<Value> {
    Json(to_json(app.shared.lock().outbox.mode()))
}

async fn set_delivery_mode(Extract(app): Extract<App>, Json(mode): Json<DeliveryMode>) -> Answer {
    if !(0.0..=1.0).contains(&mode.drop_probability) {
        return Err(ApiError::invalid("drop_probability must be between 0 and 1.").into());
    }
    if mode.copies > 100 {
        return Err(ApiError::invalid("copies must be at most 100.").into());
    }
    Ok(change_mode(&app, |current| *current = mode))
}

async fn pause(Extract(app): Extract<App>) -> Json<Value> {
    change_mode(&app, |mode| mode.paused = true)
}

async fn resume(Extract(app): Extract<App>) -> Json<Value> {
    change_mode(&app, |mode| mode.paused = false)
}

fn change_mode(app: &App, change: impl FnOnce(&mut DeliveryMode)) -> Json<Value> {
    let answer = {
        let mut state = app.shared.lock();
        let mut mode = state.outbox.mode().clone();
        change(&mut mode);
        state.revision += 1;
        state.outbox.set_mode(mode);
        to_json(state.outbox.mode())
    };
    app.shared.deliveries.notify_one();
    Json(answer)
}

async fn flush(Extract(app): Extract<App>) -> Json<Value> {
    let answer = {
        let mut state = app.shared.lock();
        let now = state.now();
        let mut mode = state.outbox.mode().clone();
        mode.paused = false;
        state.outbox.set_mode(mode);
        state.revision += 1;
        json!({"flushed": state.outbox.flush(now)})
    };
    app.shared.deliveries.notify_one();
    Json(answer)
}

async fn redeliver(Extract(app): Extract<App>, Path(id): Path<String>) -> Answer {
    let answer = {
        let mut state = app.shared.lock();
        let event = state.get(Kind::Event, &id)?;
        let event_type = event["type"].as_str().unwrap_or_default();
        let now = state.now();
        let deliveries: Vec<u64> = webhook_endpoints::listening_to(&state, event_type)
            .iter()
            .map(|endpoint| state.outbox.redeliver(&id, event_type, endpoint, now))
            .collect();
        state.revision += 1;
        json!({"event": id, "deliveries": deliveries})
    };
    app.shared.deliveries.notify_one();
    Ok(Json(answer))
}

async fn list_faults(Extract(app): Extract<App>) -> Json<Value> {
    Json(json!({"data": app.shared.lock().faults.waiting()}))
}

async fn add_fault(Extract(app): Extract<App>, Json(fault): Json<Fault>) -> Json<Value> {
    let mut state = app.shared.lock();
    state.faults.add(fault);
    Json(json!({"data": state.faults.waiting()}))
}

async fn clear_faults(Extract(app): Extract<App>) -> Json<Value> {
    app.shared.lock().faults.clear();
    Json(json!({"data": []}))
}

/// What a payer would type; a good card where nothing is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Completion {
    #[serde(default = "good_card")]
    card: String,
    iban: Option<String>,
    #[serde(default = "some_email")]
    email: String,
    #[serde(default = "some_name")]
    name: String,
    /// The answer to the bank's question, where the card asks it.
    #[serde(default = "yes")]
    authenticate: bool,
}

fn good_card() -> String {
    "4242424242424242".to_owned()
}

fn some_email() -> String {
    "payer@example.com".to_owned()
}

fn some_name() -> String {
    "Test Payer".to_owned()
}

fn yes() -> bool {
    true
}

async fn complete_session(
    Extract(app): Extract<App>,
    Path(id): Path<String>,
    Json(completion): Json<Completion>,
) -> Answer {
    let instrument = match completion.iban {
        Some(iban) => Instrument::SepaDebit { iban },
        None => Instrument::Card {
            number: completion.card,
            expiry: "12/40".to_owned(),
            cvc: "123".to_owned(),
        },
    };
    let payer = Payer {
        email: Some(completion.email),
        name: Some(completion.name),
    };
    let result = {
        let mut state = app.shared.lock();
        let mut progress = checkout_payment::pay(&mut state, &id, &instrument, &payer);
        if let Ok(Progress::AsksPayer) = progress {
            progress = checkout_payment::authenticate(&mut state, &id, completion.authenticate);
        }
        progress.and_then(|_| state.get(Kind::CheckoutSession, &id))
    };
    app.shared.deliveries.notify_one();
    Ok(Json(result?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authentication {
    confirmed: bool,
}

async fn authenticate_session(
    Extract(app): Extract<App>,
    Path(id): Path<String>,
    Json(answer): Json<Authentication>,
) -> Answer {
    let result = {
        let mut state = app.shared.lock();
        checkout_payment::authenticate(&mut state, &id, answer.confirmed)
            .and_then(|_| state.get(Kind::CheckoutSession, &id))
    };
    app.shared.deliveries.notify_one();
    Ok(Json(result?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settlement {
    /// What the account would do, where absent.
    succeeds: Option<bool>,
}

async fn settle_payment(
    Extract(app): Extract<App>,
    Path(id): Path<String>,
    Json(settlement): Json<Settlement>,
) -> Answer {
    let result = {
        let mut state = app.shared.lock();
        if settlements::settle(&mut state, &id, settlement.succeeds) {
            state.get(Kind::PaymentIntent, &id)
        } else {
            Err(ApiError::invalid(format!(
                "No payment of the payment intent '{id}' is under way."
            )))
        }
    };
    app.shared.deliveries.notify_one();
    Ok(Json(result?))
}

async fn endpoint_secret(Extract(app): Extract<App>, Path(id): Path<String>) -> Answer {
    let state = app.shared.lock();
    let endpoint = state.get(Kind::WebhookEndpoint, &id)?;
    let secret = state.hidden(Kind::WebhookEndpoint, id_of(&endpoint), "secret");
    Ok(Json(json!({"id": id, "secret": secret})))
}

async fn reset(Extract(app): Extract<App>) -> Json<Value> {
    let mut state = app.shared.lock();
    let fresh = State {
        public_url: state.public_url.clone(),
        revision: state.revision + 1,
        outbox: state.outbox.emptied(),
        ..State::default()
    };
    *state = fresh;
    Json(json!({"reset": true}))
}
