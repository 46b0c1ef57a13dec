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
use sha2::Sha256;
use sqlx::{Connection as _, PgConnection};

use crate::{
    connection::Connection,
    load::{Client, Load, Throughput},
    text,
};

/// Clients that send side by side, each waiting for its answer before it sends again.
pub const CLIENTS: usize = 12;

/// Sends events for a while. Every one of them must be acknowledged.
pub async fn send_events(
    address: SocketAddr,
    secret: &str,
    api_version: &str,
    span: Duration,
) -> Result<Throughput, String> {
    let run = Run::new(api_version);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Sender {
            connection: Connection::open(address).await.map_err(text)?,
            secret: secret.to_owned(),
            run: run.clone(),
        });
    }
    Load::flat_out(span).run(clients).await
}

struct Sender {
    connection: Connection,
    secret: String,
    run: Run,
}

impl Client for Sender {
    async fn act(&mut self) -> Result<Instant, String> {
        let (_, event) = self.run.next();
        let request = signed_request(&event, &self.secret);
        let sent = Instant::now();
        let answer = self.connection.exchange(&request).await;
        match answer.map_err(text)?.status {
            200 => Ok(sent),
            status => Err(format!("an event was answered with {status}")),
        }
    }
}

/// The floor: the same bytes inserted by as many connections, one transaction each, nothing else.
pub async fn insert_rows(database_url: &str, span: Duration) -> Result<Throughput, String> {
    let mut connection = PgConnection::connect(database_url).await.map_err(text)?;
    sqlx::query("create table if not exists bench_inserts (id text primary key, payload jsonb not null)")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    sqlx::query("truncate bench_inserts")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    let run = Run::new("baseline");
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Inserter {
            connection: PgConnection::connect(database_url).await.map_err(text)?,
            run: run.clone(),
        });
    }
    let measured = Load::flat_out(span).run(clients).await;
    sqlx::query("drop table bench_inserts")
        .execute(&mut connection)
        .await
        .map_err(text)?;
    measured
}

struct Inserter {
    connection: PgConnection,
    run: Run,
}

impl Client for Inserter {
    async fn act(&mut self) -> Result<Instant, String> {
        let (id, event) = self.run.next();
        let sent = Instant::now();
        sqlx::query("insert into bench_inserts (id, payload) values ($1, $2::jsonb)")
            .bind(id)
            .bind(event)
            .execute(&mut self.connection)
            .await
            .map_err(text)?;
        Ok(sent)
    }
}

/// Numbers the events of one run, for all its clients.
#[derive(Clone)]
struct Run {
    name: String,
    api_version: String,
    numbers: Arc<AtomicU64>,
}

impl Run {
    fn new(api_version: &str) -> Self {
        Self {
            name: uuid::Uuid::now_v7().simple().to_string(),
            api_version: api_version.to_owned(),
            numbers: Arc::default(),
        }
    }

    /// The next event and its id.
    fn next(&self) -> (String, String) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let id = format!("evt_{}_{number}", self.name);
        let event = event(&self.name, number, &self.api_version);
        (id, event)
    }
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
