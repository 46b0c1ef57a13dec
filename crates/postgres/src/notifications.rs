//! What PostgreSQL announces (NOTIFY), for everybody in this process who wants to hear it, over one connection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
    time::sleep,
};

use crate::database::Database;

/// How many announcements a slow subscriber may lag behind before it is told to look for itself.
const BACKLOG: usize = 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One LISTEN connection, shared. It ends when the last clone of this value is dropped.
#[derive(Debug, Clone)]
pub struct Notifications {
    channels: Arc<Channels>,
    _listener: Arc<EndOnDrop>,
}

type Channels = HashMap<&'static str, broadcast::Sender<Notice>>;

#[derive(Debug)]
struct EndOnDrop(AbortHandle);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something was announced, with this text.
    Announced(Arc<str>),
    /// Announcements may have been missed: the connection is new, or the subscriber was slow. Whoever keeps something
    /// up to date reads it again now.
    Resync,
}

/// One subscriber's view of a channel.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Notice>,
}

impl Subscription {
    /// The next notice; `None` when nobody listens any more because the process is ending.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.receiver.recv().await {
            Ok(notice) => Some(notice),
            Err(RecvError::Lagged(_)) => Some(Notice::Resync),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Notifications {
    /// Hears a channel from now on; `None` for one that this listener was not started with. Subscribe first and read
    /// the state after that, then nothing is missed.
    #[must_use]
    pub fn subscribe(&self, channel: &str) -> Option<Subscription> {
        let receiver = self.channels.get(channel)?.subscribe();
        Some(Subscription { receiver })
    }
}

impl Database {
    /// Listens to channels in the background, and again after every loss of the connection.
    #[must_use]
    pub fn listen(&self, channels: &[&'static str]) -> Notifications {
        let channels: Arc<Channels> = Arc::new(
            channels
                .iter()
                .map(|channel| (*channel, broadcast::channel(BACKLOG).0))
                .collect(),
        );
        let task = tokio::spawn(keep_listening(self.direct().clone(), Arc::clone(&channels)));
        Notifications {
            channels,
            _listener: Arc::new(EndOnDrop(task.abort_handle())),
        }
    }
}

async fn keep_listening(pool: PgPool, channels: Arc<Channels>) {
    let mut pause = FIRST_PAUSE;
    while !pool.is_closed() {
        let mut has_listened = false;
        if let Err(error) = listen_until_lost(&pool, &channels, &mut has_listened).await {
            tracing::warn!(%error, "lost the connection that listens to the database");
        }
        pause = if has_listened {
            FIRST_PAUSE
        } else {
            (pause * 2).min(LONGEST_PAUSE)
        };
        sleep(pause).await;
    }
}

async fn listen_until_lost(pool: &PgPool, channels: &Channels, has_listened: &mut bool) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all(channels.keys().copied()).await?;
    *has_listened = true;
    resync(channels);
    loop {
        match listener.try_recv().await? {
            Some(announced) => {
                if let Some(subscribers) = channels.get(announced.channel()) {
                    // An error means that nobody is subscribed.
                    let _ = subscribers.send(Notice::Announced(announced.payload().into()));
                }
            }
            // Lost, and listening again on another connection.
            None => resync(channels),
        }
    }
}

fn resync(channels: &Channels) {
    for subscribers in channels.values() {
        let _ = subscribers.send(Notice::Resync);
    }
}
