//! Stands between a server and its database and counts how often one waits for the other; writes down which statements
//! are executed, so that a baseline can execute the same.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

use crate::text;

/// What has passed by since the last look.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// How often the server spoke to the database and had to wait for an answer before it spoke again.
    pub round_trips: u64,
    /// The text of every statement, in the order of execution.
    pub statements: Vec<String>,
}

/// Listens for one database on a port of its own, until the program ends.
pub struct DatabaseWatch {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl DatabaseWatch {
    /// Begins to listen. What connects is passed on to where `url` points.
    pub async fn before(url: &str) -> Result<Self, String> {
        let url = parse(url)?;
        let database = (
            url.host_str().unwrap_or("localhost").to_owned(),
            url.port().unwrap_or(5432),
        );
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(text)?;
        let port = listener.local_addr().map_err(text)?.port();
        let seen = Arc::<Mutex<Seen>>::default();
        let of_all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (database, seen) = (database.clone(), Arc::clone(&of_all));
                // Whoever is cut off by a failure here notices by themselves.
                tokio::spawn(async move { pass_on(client, database, &seen).await });
            }
        });
        Ok(Self { port, seen })
    }

    /// The same URL, through here, and in the clear.
    pub fn url(&self, url: &str) -> Result<String, String> {
        let mut url = parse(url)?;
        url.set_host(Some("127.0.0.1")).map_err(text)?;
        url.set_port(Some(self.port))
            .map_err(|()| "a URL without a port".to_owned())?;
        url.query_pairs_mut().append_pair("sslmode", "disable");
        Ok(url.into())
    }

    /// What has passed by since the last call.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *lock(&self.seen))
    }
}

fn parse(url: &str) -> Result<Url, String> {
    Url::parse(url).map_err(text)
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_on(mut client: TcpStream, database: (String, u16), seen: &Mutex<Seen>) -> io::Result<()> {
    let mut server = TcpStream::connect(database).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = (Vec::with_capacity(16 * 1024), Vec::with_capacity(16 * 1024));
    let mut messages = Messages::default();
    let mut has_answered = false;
    loop {
        tokio::select! {
            read = client.read_buf(&mut asked) => {
                if read? == 0 {
                    return Ok(());
                }
                let statements = messages.read(&asked);
                {
                    let mut seen = lock(seen);
                    seen.round_trips += u64::from(has_answered);
                    seen.statements.extend(statements);
                }
                has_answered = false;
                server.write_all(&asked).await?;
                asked.clear();
            }
            read = server.read_buf(&mut answered) => {
                if read? == 0 {
                    return Ok(());
                }
                has_answered = true;
                client.write_all(&answered).await?;
                answered.clear();
            }
        }
    }
}

/// PostgreSQL's protocol, as far as it tells which statements a client executes.
#[derive(Default)]
struct Messages {
    unread: Vec<u8>,
    has_started: bool,
    /// Prepared statements by name; the unnamed one is among them.
    prepared: HashMap<Vec<u8>, String>,
}

/// The protocol's version in the message that begins a session.
const STARTUP: [u8; 4] = 196_608_u32.to_be_bytes();

impl Messages {
    /// Takes some more bytes and returns the statements that they execute.
    fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.unread.extend_from_slice(bytes);
        let mut executed = Vec::new();
        while let Some(message) = self.next() {
            let Some((kind, body)) = message.split_first() else {
                continue;
            };
            match kind {
                b'Q' => executed.push(words(until_zero(body).0)),
                b'P' => {
                    let (name, rest) = until_zero(body);
                    self.prepared.insert(name.to_vec(), words(until_zero(rest).0));
                }
                b'B' => {
                    let (_portal, rest) = until_zero(body);
                    executed.extend(self.prepared.get(until_zero(rest).0).cloned());
                }
                _ => {}
            }
        }
        executed
    }

    /// Kind and body of the next whole message; those before the session have no kind and come out empty.
    fn next(&mut self) -> Option<Vec<u8>> {
        let kind = usize::from(self.has_started);
        let length = self.unread.get(kind..kind + 4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
        if self.unread.len() < kind + length {
            return None;
        }
        let mut message: Vec<u8> = self.unread.drain(..kind + length).collect();
        if self.has_started {
            message.drain(1..5);
            return Some(message);
        }
        self.has_started = message.get(4..8) == Some(&STARTUP);
        Some(Vec::new())
    }
}

fn until_zero(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// On one line, as it may stand on a page.
fn words(sql: &[u8]) -> String {
    let sql = String::from_utf8_lossy(sql);
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [[kind].as_slice(), &length, body].concat()
    }

    #[test]
    fn statements_are_known_by_what_they_were_prepared_from() {
        let mut messages = Messages::default();
        let startup = [8_u32.to_be_bytes(), STARTUP].concat();
        let asks_for_tls = [8_u32.to_be_bytes(), 80_877_103_u32.to_be_bytes()].concat();
        assert!(messages.read(&asks_for_tls).is_empty() && messages.read(&startup).is_empty());
        assert_eq!(messages.read(&message(b'Q', b"BEGIN\0")), ["BEGIN"]);
        let prepare = message(b'P', b"one\0select\n  1\0\0\0");
        let (half, rest) = prepare.split_at(7);
        assert!(messages.read(half).is_empty() && messages.read(rest).is_empty());
        let execute = message(b'B', b"\0one\0\0\0");
        assert_eq!(
            messages.read(&[execute.clone(), execute].concat()),
            ["select 1", "select 1"]
        );
    }

    #[tokio::test]
    async fn a_round_trip_is_a_question_after_an_answer() {
        let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = database.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut client, _) = database.accept().await.unwrap();
            let mut byte = [0];
            while client.read_exact(&mut byte).await.is_ok() {
                client.write_all(&byte).await.unwrap();
            }
        });
        let url = format!("postgres://a@{address}/b");
        let watch = DatabaseWatch::before(&url).await.unwrap();
        let through = watch.url(&url).unwrap();
        assert_eq!(
            through,
            format!("postgres://a@127.0.0.1:{}/b?sslmode=disable", watch.port)
        );
        let mut client = TcpStream::connect(("127.0.0.1", watch.port)).await.unwrap();
        let mut byte = [0];
        for _ in 0..4 {
            client.write_all(b"x").await.unwrap();
            client.read_exact(&mut byte).await.unwrap();
        }
        assert_eq!(watch.take().round_trips, 3, "nobody had answered before the first");
    }
}
