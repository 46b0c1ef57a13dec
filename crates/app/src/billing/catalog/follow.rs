//! Every server reads the catalog again when one was applied anywhere.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use super::super::webhook_secrets;
use crate::{App, error::Fault};

const CHANNEL: &str = "catalog_changed";
/// Before connecting once more.
const PAUSE: Duration = Duration::from_secs(2);
/// A connection whose other end vanished without a word stays silent for ever: after so long it is left for a new one.
const TRUSTED_FOR: Duration = Duration::from_secs(60);

/// Follows changes until `stop`.
pub async fn follow_catalog(app: App, stop: CancellationToken) {
    loop {
        let followed = tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TRUSTED_FOR) => continue,
            followed = follow(&app) => followed,
        };
        if let Err(error) = followed {
            tracing::warn!(%error, "changes of the catalog cannot be followed now");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn follow(app: &App) -> Result<(), Fault> {
    let database = |error: sqlx::Error| Fault::Database(error.into());
    let mut listener = PgListener::connect_with(app.database.direct())
        .await
        .map_err(database)?;
    listener.listen(CHANNEL).await.map_err(database)?;
    loop {
        // First reading, then waiting: nothing that happens in between is missed.
        app.catalog.reload(&app.database).await?;
        webhook_secrets::load(app).await?;
        // `None`: the connection broke and there is a new one, which was told nothing of what happened meanwhile. That,
        // too, is a reason to read. (`recv` would hide it.)
        listener.try_recv().await.map_err(database)?;
    }
}
