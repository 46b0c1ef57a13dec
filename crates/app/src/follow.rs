//! What every server holds in memory is read again when it changed anywhere.

use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use crate::{App, error::Fault};

/// Before connecting once more.
const PAUSE: Duration = Duration::from_secs(2);
/// A connection whose other end vanished without a word stays silent for ever: after so long it is left for a new one.
const TRUSTED_FOR: Duration = Duration::from_secs(60);

/// Something that is held in memory, and on which channel its changes are announced.
pub(crate) struct Followed {
    /// The channel.
    pub(crate) channel: &'static str,
    /// What it is, for the log.
    pub(crate) what: &'static str,
    /// Reads it again.
    pub(crate) read: for<'a> fn(&'a App) -> BoxFuture<'a, Result<(), Fault>>,
}

/// Follows changes until `stop`.
pub(crate) async fn follow(app: App, followed: Followed, stop: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TRUSTED_FOR) => continue,
            ended = listen(&app, &followed) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, what = followed.what, "changes cannot be followed now");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn listen(app: &App, followed: &Followed) -> Result<(), Fault> {
    let database = |error: sqlx::Error| Fault::Database(error.into());
    let mut listener = PgListener::connect_with(app.database.direct())
        .await
        .map_err(database)?;
    listener.listen(followed.channel).await.map_err(database)?;
    loop {
        // First reading, then waiting: nothing that happens in between is missed.
        (followed.read)(app).await?;
        // `None`: the connection broke and there is a new one, which was told nothing of what happened meanwhile. That,
        // too, is a reason to read. (`recv` would hide it.)
        listener.try_recv().await.map_err(database)?;
    }
}
