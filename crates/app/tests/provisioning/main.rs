//! Tenants made and removed by the real engine, on a real PostgreSQL and a real Kubernetes with Helm;
//! on a scripted one where a real one cannot be made to say what is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod faults;
mod life;
mod patience;
mod reconcile;
mod retries;
mod scripted;
mod stalls;
mod world;
