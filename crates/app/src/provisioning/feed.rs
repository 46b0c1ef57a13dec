//! Tells live views that an operation has moved: one LISTEN connection for all of them.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgListener};
use tenantry_domain::ids::OperationId;
use tokio::sync::{OnceCell, broadcast};
use uuid::Uuid;

use crate::App;

const CHANNEL: &str = "operation_progress";
/// Views that fall further behind look at their operation anew.
const BACKLOG: usize = 256;
const PAUSE: Duration = Duration::from_secs(1);

/// The moves of all operations. Cloning it is cheap; nothing is connected until somebody subscribes.
#[derive(Debug, Clone, Default)]
pub struct ProgressFeed(Arc<OnceCell<broadcast::Sender<Uuid>>>);

/// The moves of one operation.
#[derive(Debug)]
pub struct Moves {
    receiver: broadcast::Receiver<Uuid>,
    operation: Uuid,
}

impl ProgressFeed {
    /// From now on; look at the operation once after subscribing, so that nothing falls between.
    pub async fn subscribe(&self, app: &App, operation: OperationId) -> Moves {
        let sender = self
            .0
            .get_or_init(|| async {
                let (sender, _) = broadcast::channel(BACKLOG);
                tokio::spawn(listen(app.database.direct().clone(), sender.clone()));
                sender
            })
            .await;
        Moves {
            receiver: sender.subscribe(),
            operation: operation.uuid(),
        }
    }
}

impl Moves {
    /// Waits until the operation may have moved.
    pub async fn next(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(moved) if moved == self.operation || moved.is_nil() => return,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The listener never ends while the program runs; whoever waits looks by a timer as well.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Until the pool is closed. A lost connection tells every view to look, since something may have been missed.
async fn listen(pool: PgPool, sender: broadcast::Sender<Uuid>) {
    while !pool.is_closed() {
        if let Err(error) = listen_once(&pool, &sender).await {
            tracing::warn!(%error, "live views are not told of progress; they look by themselves");
        }
        let _ = sender.send(Uuid::nil());
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(pool: &PgPool, sender: &broadcast::Sender<Uuid>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    let _ = sender.send(Uuid::nil());
    while let Some(notification) = listener.try_recv().await? {
        if let Ok(operation) = notification.payload().parse() {
            let _ = sender.send(operation);
        }
    }
    Ok(())
}
