//! A gate before somebody outside whom the program calls: whenever something passes, it counts the transactions that
//! are open and wait for their program.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sqlx::PgConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

pub struct Gate {
    /// Where to knock instead.
    pub url: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: AtomicU64,
    spanned: AtomicU64,
    /// Somebody who sees every session of the database.
    superuser: Mutex<Option<PgConnection>>,
}

impl Gate {
    /// Before a host and port, or before nobody: then whoever knocks is sent away.
    pub async fn before(target: Option<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let counter = seen.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), counter.clone()));
            }
        });
        Self { url, seen }
    }

    pub async fn watch(&self, superuser: PgConnection) {
        *self.seen.superuser.lock().await = Some(superuser);
    }

    /// How often something passed, and how many transactions were open then, all times together.
    pub fn counted(&self) -> (u64, u64) {
        (
            self.seen.calls.load(Ordering::SeqCst),
            self.seen.spanned.load(Ordering::SeqCst),
        )
    }
}

async fn pass(client: TcpStream, target: Option<String>, seen: Arc<Seen>) {
    let Some(target) = target else { return seen.note().await };
    let upstream = TcpStream::connect(target).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_upstream, mut to_upstream) = upstream.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_upstream, &mut to_client).await;
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from_client.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        seen.note().await;
        if to_upstream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

impl Seen {
    async fn note(&self) {
        let mut superuser = self.superuser.lock().await;
        let Some(superuser) = superuser.as_mut() else { return };
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity \
             where datname = current_database() and state like 'idle in transaction%'",
        )
        .fetch_one(superuser)
        .await
        .unwrap();
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.spanned.fetch_add(open.unsigned_abs(), Ordering::SeqCst);
    }
}
