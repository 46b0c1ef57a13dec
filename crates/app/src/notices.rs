//! What is told by NOTIFY: one LISTEN connection a channel, however many wait here.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::{OnceCell, broadcast};

use crate::App;

/// Whoever falls further behind looks for themselves.
const BACKLOG: usize = 256;
const PAUSE: Duration = Duration::from_secs(1);

/// A payload; none when something may have been missed.
type Notice = Option<Arc<str>>;

/// A channel. Cloning it is cheap; nothing is connected until somebody waits.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    channel: &'static str,
    sender: Arc<OnceCell<broadcast::Sender<Notice>>>,
}

/// The notices of a channel that are about one thing.
#[derive(Debug)]
pub(crate) struct About {
    receiver: broadcast::Receiver<Notice>,
    payload: String,
}

impl Notices {
    pub(crate) fn of(channel: &'static str) -> Self {
        Self {
            channel,
            sender: Arc::default(),
        }
    }

    /// From now on; look once after calling this, so that nothing falls between.
    pub(crate) async fn about(&self, app: &App, payload: String) -> About {
        let sender = self
            .sender
            .get_or_init(|| async {
                let (sender, _) = broadcast::channel(BACKLOG);
                tokio::spawn(listen(app.database.direct().clone(), self.channel, sender.clone()));
                sender
            })
            .await;
        About {
            receiver: sender.subscribe(),
            payload,
        }
    }
}

impl About {
    /// Waits until something may have happened.
    pub(crate) async fn next(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(Some(told)) if *told != *self.payload => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The listener never ends while the program runs; whoever waits looks by a timer as well.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Until the pool is closed. A lost connection tells everybody to look, since something may have been missed.
async fn listen(pool: PgPool, channel: &'static str, sender: broadcast::Sender<Notice>) {
    while !pool.is_closed() {
        if let Err(error) = listen_once(&pool, channel, &sender).await {
            tracing::warn!(channel, %error, "not listening; whoever waits looks by a timer");
        }
        let _ = sender.send(None);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(
    pool: &PgPool,
    channel: &'static str,
    sender: &broadcast::Sender<Notice>,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(channel).await?;
    let _ = sender.send(None);
    while let Some(notification) = listener.try_recv().await? {
        let _ = sender.send(Some(notification.payload().into()));
    }
    Ok(())
}
