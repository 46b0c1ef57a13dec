//! How a command ends: what is printed and which code a script sees.

use std::{fmt, process::ExitCode};

/// Why a command failed, as a script needs to tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Anything else.
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// The thing does not exist.
    NotFound,
    /// The thing's state does not allow it.
    Refused,
    /// Something outside did not answer.
    Unavailable,
}

/// A failed command: a sentence that says what happened and what to do.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    message: String,
}

impl Failure {
    /// A failure of a kind, told in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    /// The code that the process ends with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            FailureKind::Failed => 1,
            FailureKind::Usage => 2,
            FailureKind::NotFound => 3,
            FailureKind::Refused => 4,
            FailureKind::Unavailable => 5,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
