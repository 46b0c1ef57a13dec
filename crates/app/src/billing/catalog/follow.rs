//! Every server reads the catalog again when one was applied anywhere.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio_util::sync::CancellationToken;

use super::super::webhook_secrets;
use crate::{App, error::Fault};

const CHANNEL: &str = "catalog_changed";
/// A connection that broke may have missed a change.
const PAUSE: Duration = Duration::from_secs(2);

/// Follows changes until `stop`.
pub async fn follow_catalog(app: App, stop: CancellationToken) {
    loop {
        let followed = tokio::select! {
            () = stop.cancelled() => return,
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
        listener.recv().await.map_err(database)?;
    }
}
