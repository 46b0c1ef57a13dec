//! The use cases: what happens when somebody signs up, buys, or when a payment arrives.
//!
//! An area has the same name here as in the domain. A use case opens a scoped transaction (`tenantry-postgres`), asks
//! the domain what follows, writes it, and queues what has to happen outside: a job, or a durable operation.

pub mod accounts;
pub mod audit;
pub mod billing;
pub mod clock;
pub mod context;
pub mod error;
mod follow;
pub mod idempotency;
pub mod mail;
mod notices;
pub mod organizations;
pub mod provisioning;
pub mod readiness;
pub mod sealing;
pub mod sweep;
pub mod trace;
pub mod workers;

pub use context::{App, Settings};
