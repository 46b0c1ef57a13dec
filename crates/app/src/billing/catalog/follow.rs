//! Every server reads the catalog again when one was applied anywhere.

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::super::webhook_secrets;
use crate::{
    App,
    error::Fault,
    follow::{Followed, follow},
};

/// Follows changes until `stop`.
pub async fn follow_catalog(app: App, stop: CancellationToken) {
    let catalog = Followed {
        channel: "catalog_changed",
        what: "the catalog",
        read,
    };
    follow(app, catalog, stop).await;
}

fn read(app: &App) -> BoxFuture<'_, Result<(), Fault>> {
    Box::pin(async move {
        app.catalog.reload(&app.database).await?;
        webhook_secrets::load(app).await
    })
}
