//! Tenants made and removed by the real engine, on a real PostgreSQL and a real Kubernetes with Helm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod faults;
mod life;
mod reconcile;
mod retries;
mod world;
