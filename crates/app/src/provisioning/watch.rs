//! Wakes operations the moment that what they wait for happens in the cluster.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tenantry_domain::{ids::TenantId, provisioning::cluster::Noticed};
use tenantry_postgres::{DatabaseError, provisioning::operations};
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
        // Together, whatever has come meanwhile: a busy cluster tells of many things at once.
        let mut signals = Vec::new();
        while receiver.recv_many(&mut signals, QUEUE).await > 0 {
            if let Err(error) = act_on(&app, &signals).await {
                tracing::warn!(%error, signals = signals.len(), "operations could not be woken");
            }
            signals.clear();
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = async { tokio::join!(watching, waking); } => {}
    }
}

async fn act_on(app: &App, signals: &[(TenantId, Noticed)]) -> Result<(), Fault> {
    let tenants: BTreeSet<_> = signals.iter().map(|(tenant, _)| tenant.uuid()).collect();
    let gone: BTreeSet<_> = signals
        .iter()
        .filter(|(_, noticed)| *noticed == Noticed::NamespaceGone)
        .map(|(tenant, _)| *tenant)
        .collect();
    let mut tx = app.database.system("wake operations").await?;
    tenantry_operations::wake(tx.connection(), &tenants.into_iter().collect::<Vec<_>>())
        .await
        .map_err(DatabaseError::from)?;
    let mut is_missed = false;
    for tenant in gone {
        // Nobody of ours was removing it.
        is_missed |= operations::current(&mut tx, tenant).await?.is_none();
    }
    tx.commit().await?;
    if is_missed {
        schedule_reconciliation(app).await?;
    }
    Ok(())
}
