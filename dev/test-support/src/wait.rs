use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Asks again and again, quickly at first, until the condition gives a value.
///
/// # Panics
/// When it gives none within `timeout`; the message names `what` was waited for.
pub async fn wait_for<T, F>(what: &str, timeout: Duration, mut condition: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {timeout:?} in vain for {what}");
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
