//! The loop that operations and jobs share: claim what is due, run it under a lease, renew the leases together.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use uuid::Uuid;

use crate::wake::listen;

/// Sets the parent of a span from a W3C `traceparent`, where the program exports traces.
pub type SpanParent = Arc<dyn Fn(&tracing::Span, &str) + Send + Sync>;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) poll: Duration,
    pub(crate) shutdown_grace: Duration,
}

/// A table of things to do.
#[async_trait]
pub(crate) trait Source: Send + Sync + 'static {
    const CHANNEL: &'static str;
    const NAME: &'static str;
    type Claimed: Send + 'static;

    /// Takes up to `limit` due rows, each with a fresh epoch and a lease, in one statement.
    async fn claim(&self, limit: i64) -> Result<Vec<Self::Claimed>, sqlx::Error>;
    /// Extends the leases that are still ours and names them.
    async fn renew(&self, control: &PgPool, ids: &[Uuid], epochs: &[i64]) -> Result<Vec<Uuid>, sqlx::Error>;
    /// Lets go of leases at once, so that others need not wait until they expire.
    async fn release(&self, ids: &[Uuid], epochs: &[i64]) -> Result<(), sqlx::Error>;
    fn key(claimed: &Self::Claimed) -> (Uuid, i64);
    fn span(&self, claimed: &Self::Claimed) -> tracing::Span;
    /// Runs one to its end or its next pause, and says how long that pause is.
    async fn run(&self, claimed: Self::Claimed, lease: &Lease) -> Option<Duration>;
}

/// Our hold on one row. Dropping it ends the renewals, not the lease itself.
pub(crate) struct Lease {
    id: Uuid,
    epoch: i64,
    lost: CancellationToken,
    stopping: CancellationToken,
    held: Arc<HeldLeases>,
}

impl Lease {
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// The program is going down: finish the step at hand, begin no other.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held.remove(self.id, self.epoch);
    }
}

struct HeldLease {
    epoch: i64,
    lost: CancellationToken,
    renewed: Instant,
}

#[derive(Default)]
struct HeldLeases(Mutex<HashMap<Uuid, HeldLease>>);

impl HeldLeases {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, HeldLease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, id: Uuid, epoch: i64, asked: Instant, stopping: CancellationToken) -> Lease {
        let lost = CancellationToken::new();
        self.lock().insert(
            id,
            HeldLease {
                epoch,
                lost: lost.clone(),
                renewed: asked,
            },
        );
        Lease {
            id,
            epoch,
            lost,
            stopping,
            held: self.clone(),
        }
    }

    fn remove(&self, id: Uuid, epoch: i64) {
        let mut held = self.lock();
        if held.get(&id).is_some_and(|lease| lease.epoch == epoch) {
            held.remove(&id);
        }
    }

    fn keys(&self) -> (Vec<Uuid>, Vec<i64>) {
        self.lock().iter().map(|(id, lease)| (*id, lease.epoch)).unzip()
    }

    /// After the answer to a renewal that was asked for at `asked`.
    fn settle(&self, ids: &[Uuid], epochs: &[i64], kept: &[Uuid], asked: Instant) {
        let mut held = self.lock();
        for (id, epoch) in ids.iter().zip(epochs) {
            let Some(lease) = held.get_mut(id).filter(|lease| lease.epoch == *epoch) else {
                continue;
            };
            if kept.contains(id) {
                lease.renewed = asked;
            } else {
                lease.lost.cancel();
            }
        }
    }

    /// Without an answer, what was not renewed for a whole lease may be somebody else's.
    fn expire(&self, lease: Duration) {
        for held in self.lock().values() {
            if held.renewed.elapsed() >= lease {
                held.lost.cancel();
            }
        }
    }
}

/// A running loop. Dropping it kills it as a crash would: the leases expire and others take over.
pub(crate) struct Dispatcher {
    stopping: CancellationToken,
    main: AbortOnDropHandle<()>,
}

impl Dispatcher {
    pub(crate) fn start<S: Source>(pool: &PgPool, source: Arc<S>, rhythm: Rhythm) -> Self {
        let stopping = CancellationToken::new();
        // Listening takes a connection for good, and a renewal must not queue behind the work that it keeps alive.
        let control = PgPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        let main = tokio::spawn(dispatch(source, control, rhythm, stopping.clone()).in_current_span());
        Self {
            stopping,
            main: AbortOnDropHandle::new(main),
        }
    }

    /// Claims nothing more, gives running steps their grace, lets go of the leases.
    pub(crate) async fn shutdown(self) {
        self.stopping.cancel();
        if let Err(error) = self.main.await {
            tracing::error!(%error, "the worker loop did not end in order");
        }
    }
}

async fn dispatch<S: Source>(source: Arc<S>, control: PgPool, rhythm: Rhythm, stopping: CancellationToken) {
    let held = Arc::new(HeldLeases::default());
    let wake = Arc::new(Notify::new());
    let _listener = AbortOnDropHandle::new(tokio::spawn(listen(control.clone(), S::CHANNEL, wake.clone())));
    let _heartbeat = AbortOnDropHandle::new(tokio::spawn(keep_leases(
        source.clone(),
        control.clone(),
        held.clone(),
        rhythm,
    )));

    let mut running: JoinSet<Option<Duration>> = JoinSet::new();
    let mut wake_times = BinaryHeap::new();
    let mut is_failing = false;
    while !stopping.is_cancelled() {
        while let Some(ended) = running.try_join_next() {
            note_end::<S>(ended, &mut wake_times);
        }
        let now = Instant::now();
        while wake_times.peek().is_some_and(|Reverse(at)| *at <= now) {
            wake_times.pop();
        }
        let free = rhythm.concurrency.saturating_sub(running.len());
        if free > 0 {
            let claimed = tokio::select! {
                () = stopping.cancelled() => break,
                claimed = source.claim(i64::try_from(free).unwrap_or(i64::MAX)) => claimed,
            };
            match claimed {
                Ok(claimed) => {
                    is_failing = false;
                    for claimed in claimed {
                        let (id, epoch) = S::key(&claimed);
                        let lease = held.add(id, epoch, now, stopping.clone());
                        let (source, span) = (source.clone(), source.span(&claimed));
                        running.spawn(async move { source.run(claimed, &lease).await }.instrument(span));
                    }
                }
                Err(error) if is_failing => tracing::debug!(worker = S::NAME, %error, "still cannot claim"),
                Err(error) => {
                    is_failing = true;
                    tracing::error!(worker = S::NAME, %error, "cannot claim work, trying on");
                }
            }
        }
        let is_full = running.len() >= rhythm.concurrency;
        let look_again = wake_times
            .peek()
            .map_or(now + rhythm.poll, |Reverse(at)| (*at).min(now + rhythm.poll));
        tokio::select! {
            () = stopping.cancelled() => {}
            () = wake.notified(), if !is_full => {}
            Some(ended) = running.join_next(), if !running.is_empty() => note_end::<S>(ended, &mut wake_times),
            () = tokio::time::sleep_until(look_again), if !is_full => {}
        }
    }
    drain(&*source, &held, running, rhythm.shutdown_grace).await;
}

fn note_end<S: Source>(
    ended: Result<Option<Duration>, tokio::task::JoinError>,
    wake_times: &mut BinaryHeap<Reverse<Instant>>,
) {
    match ended {
        Ok(Some(pause)) => wake_times.push(Reverse(Instant::now() + pause)),
        Ok(None) => {}
        Err(error) => tracing::error!(worker = S::NAME, %error, "a run ended without order; its lease will expire"),
    }
}

async fn drain<S: Source>(source: &S, held: &HeldLeases, mut running: JoinSet<Option<Duration>>, grace: Duration) {
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all_ended).await.is_err() {
        let (ids, epochs) = held.keys();
        tracing::warn!(
            worker = S::NAME,
            cut_short = ids.len(),
            "stopping in the middle of work"
        );
        running.shutdown().await;
        if let Err(error) = source.release(&ids, &epochs).await {
            tracing::warn!(worker = S::NAME, %error, "could not let go of leases; they will expire");
        }
    }
}

async fn keep_leases<S: Source>(source: Arc<S>, control: PgPool, held: Arc<HeldLeases>, rhythm: Rhythm) {
    loop {
        tokio::time::sleep(rhythm.heartbeat).await;
        let (ids, epochs) = held.keys();
        if ids.is_empty() {
            continue;
        }
        let asked = Instant::now();
        match tokio::time::timeout(rhythm.lease, source.renew(&control, &ids, &epochs)).await {
            Ok(Ok(kept)) => held.settle(&ids, &epochs, &kept, asked),
            Ok(Err(error)) => tracing::warn!(worker = S::NAME, %error, "could not renew leases"),
            Err(_) => tracing::warn!(worker = S::NAME, "renewing leases takes longer than they last"),
        }
        held.expire(rhythm.lease);
    }
}
