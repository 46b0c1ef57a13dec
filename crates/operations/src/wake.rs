use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;

/// Wakes `wake` for every notification on `channel`. A lost connection wakes it too, since something may have been
/// missed; polling covers the time without one.
pub(crate) async fn listen(pool: PgPool, channel: &'static str, wake: Arc<Notify>) {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match listen_once(&pool, channel, &wake).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(channel, %error, "not listening, polling instead"),
        }
        wake.notify_one();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(pool: &PgPool, channel: &'static str, wake: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(channel).await?;
    wake.notify_one();
    while listener.try_recv().await?.is_some() {
        wake.notify_one();
    }
    Ok(())
}
