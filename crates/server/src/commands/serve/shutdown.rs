//! The orderly end. The disorderly one (`kill -9`) is as safe, only slower to take over from.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

/// Event streams never end by themselves; everything else does well within this.
const GRACE: Duration = Duration::from_secs(5);

/// Returns when the process is asked to end.
pub(super) async fn requested() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signal handling the default action ends the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Lets requests in flight end, for a while.
pub(super) async fn within_grace<T>(task: &mut JoinHandle<T>) {
    if tokio::time::timeout(GRACE, &mut *task).await.is_err() {
        task.abort();
    }
}
