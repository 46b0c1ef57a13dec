//! Durable background jobs: one handler, no undo, at least once.
//!
//! A job is queued in the transaction that causes it ([`enqueue`]) and run by any [`JobWorker`]. Leases and epochs are
//! the engine's: a worker that dies is replaced when its lease expires, and one that was only paused cannot write over
//! what its successor did. Effects in the same database happen exactly once where the handler ends its own transaction
//! with [`JobContext::complete`].

mod handler;
mod queue;
mod table;
mod worker;

pub use handler::{Job, JobContext, JobError, JobPolicy, JobRegistry};
pub use queue::{JobRetryError, NewJob, Queued, enqueue, prune, retry};
pub use worker::{JobWorker, JobWorkerConfig};
