use serde::{Deserialize, Serialize};

/// Where an operation stands. `Done` and `Undone` are ends; `Stuck` waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OperationState {
    /// Nothing has happened yet.
    Queued,
    /// A worker is at it, or was when it died.
    Running,
    /// Asleep until `wake_at`: something is not ready, or a try failed.
    Waiting,
    /// Going back. Asleep or not, it stays in this state until it is undone or stuck.
    Undoing,
    /// An undo cannot succeed. [`retry`](crate::retry) resumes it.
    Stuck,
    Done,
    /// It gave up, and nothing of it is left.
    Undone,
}

impl OperationState {
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Undone)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Undoing => "undoing",
            Self::Stuck => "stuck",
            Self::Done => "done",
            Self::Undone => "undone",
        }
    }
}
