//! The whole of Tenantry against faults: real server processes, PostgreSQL, Kubernetes, Helm and mail, and the Stripe
//! stand-in. Each test has an installation of its own (database, stand-in, servers) on the shared cluster.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod harness;

mod command_line;
mod drift;
mod events;
mod failures;
mod happy;
mod kills;
mod refusals;
mod sharing;
mod traces;
