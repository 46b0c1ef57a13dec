use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest `technical` text that is kept: enough for the end of a tool's output, not for a log file.
const TECHNICAL_LIMIT_BYTES: usize = 8 * 1024;

/// Why something failed, in the three voices that are needed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Failure {
    /// Stable, snake_case, for programs.
    pub code: Cow<'static, str>,
    /// One sentence for the person whose thing it is; what is waited for, as words that follow *waiting for*. No secrets,
    /// no addresses, nothing that another program said.
    pub detail: String,
    /// For the operator: what the other side said. Cut to 8 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technical: Option<String>,
}

impl Failure {
    pub fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            technical: None,
        }
    }

    /// Adds what only the operator should read; the end is kept where it is too long, since tools put the error last.
    #[must_use]
    pub fn technical(mut self, technical: impl ToString) -> Self {
        let mut text = technical.to_string();
        if text.len() > TECHNICAL_LIMIT_BYTES {
            let mut from = text.len() - TECHNICAL_LIMIT_BYTES;
            while !text.is_char_boundary(from) {
                from += 1;
            }
            text = format!("…{}", &text[from..]);
        }
        self.technical = Some(text);
        self
    }

    pub(crate) fn from_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new("panicked", "This part of the program stopped unexpectedly.").technical(said)
    }
}

/// How a step ends when it is not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StepError {
    /// Temporary. Tried again after the policy's backoff, or after `after` where the other side said when.
    #[error("{failure}")]
    Retry { failure: Failure, after: Option<Duration> },
    /// Permanent. The operation unwinds; in an undo, it is stuck.
    #[error("{0}")]
    GiveUp(Failure),
    /// Nothing is wrong, something is not ready. Asked again after `after`; not counted as an attempt.
    #[error("not yet: {obstacle}")]
    NotYet { obstacle: Failure, after: Duration },
    /// Another worker holds the operation now. Comes from [`StepContext::fence`](crate::StepContext::fence); pass it
    /// on with `?`.
    #[error("another worker has taken over")]
    Superseded,
}

impl StepError {
    pub fn retry(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Failure::new(code, detail).into_retry()
    }

    pub fn give_up(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::GiveUp(Failure::new(code, detail))
    }

    /// `detail` is what is waited for.
    pub fn not_yet(code: impl Into<Cow<'static, str>>, detail: impl Into<String>, after: Duration) -> Self {
        Failure::new(code, detail).into_not_yet(after)
    }
}

impl Failure {
    pub fn into_retry(self) -> StepError {
        StepError::Retry {
            failure: self,
            after: None,
        }
    }

    pub fn into_retry_after(self, after: Duration) -> StepError {
        StepError::Retry {
            failure: self,
            after: Some(after),
        }
    }

    pub fn into_give_up(self) -> StepError {
        StepError::GiveUp(self)
    }

    pub fn into_not_yet(self, after: Duration) -> StepError {
        StepError::NotYet { obstacle: self, after }
    }
}

/// A database that does not answer is temporary by nature; a step that knows better maps the error itself.
impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        database_failure(&error).into_retry()
    }
}

pub(crate) fn database_failure(error: &sqlx::Error) -> Failure {
    Failure::new("database_unavailable", "Our database did not answer as expected.").technical(error)
}
