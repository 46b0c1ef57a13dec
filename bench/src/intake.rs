//! P1: signed payment events acknowledged a second, beside plain inserts on the same PostgreSQL.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use sqlx::{Connection as _, PgConnection};

use crate::{connection::Connection, latency::Latency, processor::Ticks};

/// Clients that send side by side, each waiting for its answer before it sends again.
const CLIENTS: usize = 12;

/// What one run measured.
#[derive(Debug, Serialize)]
pub struct Throughput {
    pub per_second: f64,
    pub count: u64,
    #[serde(flatten)]
    pub latency: Latency,
    /// Share of the busy processor time that the generator itself used.
    pub generator_share: f64,
}

/// Sends events for a while. Every one of them must be acknowledged.
pub async fn send_events(
    address: SocketAddr,
    secret: &str,
    api_version: &str,
    span: Duration,
) -> Result<Throughput, String> {
    let run = uuid_like();
    let numbers = Arc::new(AtomicU64::new(0));
    let (secret, api_version) = (secret.to_owned(), api_version.to_owned());
    measure(span, move |until| {
        let (numbers, secret, api_version, run) = (numbers.clone(), secret.clone(), api_version.clone(), run.clone());
        async move {
            let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
            let mut durations = Vec::new();
            while Instant::now() < until {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let request = signed_request(&event(&run, number, &api_version), &secret);
                let begun = Instant::now();
                let status = connection.exchange(&request).await.map_err(|error| error.to_string())?;
                if status != 200 {
                    return Err(format!("an event was answered with {status}"));
                }
                durations.push(begun.elapsed());
            }
            Ok(durations)
        }
    })
    .await
}

/// The floor: the same bytes inserted by as many connections, one transaction each, nothing else.
pub async fn insert_rows(database_url: &str, span: Duration) -> Result<Throughput, String> {
    let text = |error: sqlx::Error| error.to_string();
    let mut connection = PgConnection::connect(database_url).await.map_err(text)?;
    sqlx::query("create table if not exists bench_inserts (id text primary key, payload jsonb not null)")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    sqlx::query("truncate bench_inserts")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    let run = uuid_like();
    let numbers = Arc::new(AtomicU64::new(0));
    let url = database_url.to_owned();
    let measured = measure(span, move |until| {
        let (numbers, url, run) = (numbers.clone(), url.clone(), run.clone());
        async move {
            let mut connection = PgConnection::connect(&url).await.map_err(text)?;
            let mut durations = Vec::new();
            while Instant::now() < until {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let payload = event(&run, number, "baseline");
                let begun = Instant::now();
                sqlx::query("insert into bench_inserts (id, payload) values ($1, $2::jsonb)")
                    .bind(format!("evt_{run}_{number}"))
                    .bind(payload)
                    .execute(&mut connection)
                    .await
                    .map_err(text)?;
                durations.push(begun.elapsed());
            }
            Ok(durations)
        }
    })
    .await;
    sqlx::query("drop table bench_inserts")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    measured
}

async fn measure<F, R>(span: Duration, client: F) -> Result<Throughput, String>
where
    F: Fn(Instant) -> R,
    R: Future<Output = Result<Vec<Duration>, String>> + Send + 'static,
{
    let (ticks, begun) = (Ticks::now(), Instant::now());
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::spawn(client(begun + span))).collect();
    let mut durations = Vec::new();
    for client in clients {
        durations.extend(client.await.map_err(|error| error.to_string())??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let count = durations.len() as u64;
    Ok(Throughput {
        per_second: count as f64 / elapsed,
        count,
        latency: Latency::of(durations),
        generator_share: Ticks::now().share_since(ticks),
    })
}

/// Tells two runs on one database apart.
fn uuid_like() -> String {
    format!(
        "{:x}",
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos()
    )
}

/// An event of the size and shape of an ordinary one.
fn event(run: &str, number: u64, api_version: &str) -> String {
    let created = chrono::Utc::now().timestamp();
    let filler = "x".repeat(1500);
    format!(
        r#"{{"id":"evt_{run}_{number}","object":"event","api_version":"{api_version}","created":{created},"livemode":false,"pending_webhooks":1,"type":"invoice.paid","data":{{"object":{{"id":"in_{run}_{number}","object":"invoice","status":"paid","metadata":{{"note":"{filler}"}}}}}},"request":{{"id":null,"idempotency_key":null}}}}"#
    )
}

fn signed_request(body: &str, secret: &str) -> Vec<u8> {
    let time = chrono::Utc::now().timestamp();
    // A key of any length is a key.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!());
    mac.update(format!("{time}.{body}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    format!(
        "POST /webhooks/stripe HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nstripe-signature: t={time},v1={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
