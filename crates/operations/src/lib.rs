//! Durable operations and background jobs over PostgreSQL. Knows no domain.
//!
//! An [`Operation`] is a list of named [`Step`]s with their undo, written in one file. It is queued by [`enqueue`] in
//! the caller's own transaction and run by any [`Engine`] on the same database. Before a step acts, *started* is in the
//! log; afterwards *done* with its output. Whoever takes an operation over, after a crash or a wait, reads the log and
//! goes on from there.
//!
//! What a step may rely on, and what it must bear:
//!
//! - [`Step::act`] and [`Step::undo`] may run more than once and may stop at any await: both must be safe to repeat.
//! - `undo` may run when `act` did all, half or nothing of its work.
//! - One engine at a time holds an operation, by a lease with an epoch. A stalled holder cannot write to the log any
//!   more; before an effect outside the database a step calls [`StepContext::fence`], and marks the effect with
//!   [`OperationContext::id`], so that an act that comes late is recognised. What it writes to other tables it writes
//!   in a transaction behind [`StepContext::fence_in`].
//! - Waiting ([`StepError::NotYet`], or the pause before a retry) holds neither a worker nor a connection. Whoever learns
//!   that something has happened calls [`wake`]; no wake is lost.
//!
//! One operation at a time runs for each *subject*, a uuid whose meaning only the caller knows; it belongs to a
//! *scope*, which is a customer's boundary. (In the tables these are the columns `tenant_id` and `organization_id`.)
//!
//! [`jobs`] are smaller: one handler, no undo, at least once, beside the same leases.

mod context;
mod dispatch;
mod engine;
mod enqueue;
mod error;
pub mod jobs;
mod log;
mod operation;
mod policy;
mod probe;
mod progress;
mod registry;
mod state;
mod wake;

pub use context::{OperationContext, StepContext};
pub use dispatch::SpanParent;
pub use engine::{Engine, EngineConfig};
pub use enqueue::{EnqueueError, Enqueued, NewOperation, RetryError, abandon, enqueue, retry, wake};
pub use error::{Failure, StepError};
pub use log::Phase;
pub use operation::{HookError, HookResult, Operation, Outcome, Step, Steps};
pub use policy::StepPolicy;
pub use probe::{Moment, Point, Probe};
pub use progress::{Progress, StepProgress, StepState, UsualDuration, load_progress, usual_durations};
pub use registry::{Registry, RegistryError};
pub use state::OperationState;
