//! The adapter against a real Kubernetes: `dev/cluster`, or the one that `TENANTRY_TEST_CLUSTER` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod foreign;
mod isolation;
mod life;
mod releases;
mod removal;
mod rights;
mod support;
