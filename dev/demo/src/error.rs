//! What can go wrong in the demonstration, in words that help.

/// Why the demonstration could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A `DEMO_…` variable that must not be used so.
    #[error("{0}")]
    Refused(String),
    /// A part did not start.
    #[error("{part} did not start: {reason}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// A part stopped while it was needed.
    #[error("{0} ended by itself; its log is above")]
    Ended(&'static str),
    /// Nothing was seen within the time given.
    #[error("waited {seconds} s for {what}, in vain{detail}")]
    Timeout {
        /// What for.
        what: String,
        /// How long.
        seconds: u64,
        /// What was seen last.
        detail: String,
    },
    /// Tenantry or another part answered something else than expected.
    #[error("{request} answered {status}: {body}")]
    Answer {
        /// Method and path.
        request: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// The command that was to be run against the parts failed.
    #[error("{program} ended with {status}")]
    Command {
        /// What was run.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The provisioning did not end well.
    #[error("the tenant was not provisioned: {0}")]
    NotProvisioned(String),
    /// A part could not be reached.
    #[error("could not reach a part of the demonstration: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// Files could not be written.
    #[error("could not prepare files: {0}")]
    Files(#[from] std::io::Error),
}
