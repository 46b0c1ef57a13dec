use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use tenantry_operations::{Moment, Phase, Point, Probe};
use tokio::sync::Notify;

/// Holds the worker up once, at the n-th pass of one moment of a step's doing, until it is released.
pub(crate) struct Stall {
    step: &'static str,
    moment: Moment,
    passes_before: AtomicU32,
    pub(crate) reached: Notify,
    pub(crate) release: Notify,
}

impl Stall {
    pub(crate) fn at(step: &'static str, moment: Moment) -> Arc<Self> {
        Self::after(0, step, moment)
    }

    pub(crate) fn after(passes: u32, step: &'static str, moment: Moment) -> Arc<Self> {
        Arc::new(Self {
            step,
            moment,
            passes_before: AtomicU32::new(passes),
            reached: Notify::new(),
            release: Notify::new(),
        })
    }
}

#[async_trait]
impl Probe for Stall {
    async fn at(&self, point: Point<'_>) {
        let is_here = point.step == self.step && point.phase == Phase::Do && point.moment == self.moment;
        if is_here && self.passes_before.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.reached.notify_one();
            self.release.notified().await;
        }
    }
}
