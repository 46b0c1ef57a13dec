//! Wakes operations the moment that what they wait for happens in the cluster.

use std::{sync::Arc, time::Duration};

use tenantry_domain::{ids::TenantId, provisioning::cluster::Noticed};
use tenantry_postgres::provisioning::operations;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::schedule_reconciliation;
use crate::{App, error::Fault};

/// A cluster that cannot be watched at all is tried again after this time; operations poll meanwhile.
const PAUSE: Duration = Duration::from_secs(5);
/// More signals than this at once are dropped: operations ask by themselves, only later.
const QUEUE: usize = 1024;

/// Runs until `stop`. Any number of replicas may run it: waking twice is harmless.
pub async fn watch_cluster(app: App, stop: CancellationToken) {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let tell = Arc::new(move |tenant, noticed| {
        // A full queue loses the signal, not the operation.
        let _ = sender.try_send((tenant, noticed));
    });
    let watching = async {
        loop {
            if let Err(error) = app.cluster.watch(app.settings.installation, tell.clone()).await {
                tracing::warn!(%error, "the cluster cannot be watched; operations ask it by themselves");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let waking = async {
        while let Some((tenant, noticed)) = receiver.recv().await {
            if let Err(error) = act_on(&app, tenant, noticed).await {
                tracing::warn!(%error, %tenant, "an operation could not be woken");
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = async { tokio::join!(watching, waking); } => {}
    }
}

async fn act_on(app: &App, tenant: TenantId, noticed: Noticed) -> Result<(), Fault> {
    let mut tx = app.database.system("wake an operation").await?;
    let woken = operations::wake(&mut tx, tenant).await?;
    let is_busy = woken || operations::current(&mut tx, tenant).await?.is_some();
    tx.commit().await?;
    // Nobody of ours was removing it.
    if noticed == Noticed::NamespaceGone && !is_busy {
        schedule_reconciliation(app).await?;
    }
    Ok(())
}
