//! Tells live views that an operation has moved.

use tenantry_domain::ids::OperationId;

use crate::{
    App,
    notices::{About, Notices},
};

const CHANNEL: &str = "operation_progress";

/// The moves of all operations. Cloning it is cheap; nothing is connected until somebody subscribes.
#[derive(Debug, Clone)]
pub struct ProgressFeed(Notices);

/// The moves of one operation.
#[derive(Debug)]
pub struct Moves(About);

impl Default for ProgressFeed {
    fn default() -> Self {
        Self(Notices::of(CHANNEL))
    }
}

impl ProgressFeed {
    /// From now on; look at the operation once after subscribing, so that nothing falls between.
    pub async fn subscribe(&self, app: &App, operation: OperationId) -> Moves {
        Moves(self.0.about(app, operation.uuid().to_string()).await)
    }
}

impl Moves {
    /// Waits until the operation may have moved.
    pub async fn next(&mut self) {
        self.0.next().await;
    }
}
