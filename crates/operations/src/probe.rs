use async_trait::async_trait;
use uuid::Uuid;

use crate::log::Phase;

/// Called by the engine at three points of every try of every step, so that a fault harness can stall it there, or end
/// the process.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    async fn at(&self, point: Point<'_>);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    pub operation: Uuid,
    pub kind: &'a str,
    pub step: &'a str,
    pub phase: Phase,
    pub moment: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// *Started* is committed, nothing has happened.
    Started,
    /// The step has returned, nothing of that is recorded.
    Effect,
    /// How the try ended is committed.
    Done,
}

impl Moment {
    pub const ALL: [Self; 3] = [Self::Started, Self::Effect, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Effect => "effect",
            Self::Done => "done",
        }
    }
}
