//! Sends what the outbox holds: signed, several at once, with a limit on how long a receiver may take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::clock::machine_time;
use crate::outbox::{Attempt, Delivery};
use crate::signature;
use crate::state::{API_VERSION, Shared, State};
use crate::store::Kind;

const AT_ONCE: usize = 32;
/// Stripe waits about this long for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How late a delivery may be noticed whose time comes by itself.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(25);

/// Runs until the program ends.
pub(crate) async fn run(shared: Shared) -> Result<(), reqwest::Error> {
    // Webhooks of a development program go to the addresses they name, not through a proxy.
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let due = {
            let mut state = shared.lock();
            let now = state.now();
            state.outbox.take_due(places.available_permits(), now)
        };
        for delivery in due {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return Ok(());
            };
            let (client, shared) = (client.clone(), shared.clone());
            tokio::spawn(async move {
                send(&client, &shared, &delivery).await;
                drop(place);
                shared.deliveries.notify_one();
            });
        }
        tokio::select! {
            () = shared.deliveries.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN_AFTER) => {}
        }
    }
}

async fn send(client: &reqwest::Client, shared: &Shared, delivery: &Delivery) {
    let message = {
        let state = shared.lock();
        compose(&state, delivery)
    };
    let Some(message) = message else {
        return;
    };
    let started = Instant::now();
    let answer = client
        .post(message.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header(
            "stripe-signature",
            signature::header(&message.secret, machine_time(), &message.body),
        )
        .body(message.body)
        .send()
        .await;
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status().as_u16()), None),
        Err(error) => (None, Some(error.without_url().to_string())),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut state = shared.lock();
    let now = state.now();
    let attempt = Attempt {
        at: now,
        status,
        error,
        duration_ms,
    };
    state.revision += 1;
    if state.outbox.finish_attempt(delivery.id, attempt, now) {
        state.change(Kind::Event, &delivery.event, None, |event| {
            let pending = event["pending_webhooks"].as_i64().unwrap_or(0);
            event["pending_webhooks"] = json!((pending - 1).max(0));
        });
    }
}

struct Message {
    url: String,
    secret: String,
    body: Vec<u8>,
}

fn compose(state: &State, delivery: &Delivery) -> Option<Message> {
    let endpoint = state.store.record(Kind::WebhookEndpoint, &delivery.endpoint)?;
    let mut event = state.store.object(Kind::Event, &delivery.event)?.clone();
    event["api_version"] = match &endpoint.object["api_version"] {
        Value::Null => json!(API_VERSION),
        version => version.clone(),
    };
    Some(Message {
        url: endpoint.object["url"].as_str()?.to_owned(),
        secret: endpoint.hidden["secret"].as_str()?.to_owned(),
        body: serde_json::to_vec_pretty(&event).ok()?,
    })
}
