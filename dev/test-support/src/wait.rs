use std::{fmt::Debug, time::Duration};

use tokio::time::{Instant, sleep};

/// Asks again and again, quickly at first, until the condition gives a value.
///
/// # Panics
/// When it gives none within `timeout`; the message names `what` was waited for.
pub async fn wait_for<T, F>(what: &str, timeout: Duration, mut condition: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    wait_for_ok(what, timeout, async || condition().await.ok_or("not yet")).await
}

/// The same for a condition that says what is still wrong.
///
/// # Panics
/// When it is not met within `timeout`; the message also has what was wrong at last.
pub async fn wait_for_ok<T, E, F>(what: &str, timeout: Duration, mut condition: F) -> T
where
    E: Debug,
    F: AsyncFnMut() -> Result<T, E>,
{
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(5);
    loop {
        match condition().await {
            Ok(value) => return value,
            Err(wrong) => assert!(
                Instant::now() < deadline,
                "waited {timeout:?} in vain for {what}: {wrong:#?}"
            ),
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
