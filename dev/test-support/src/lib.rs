//! Real parts for tests, started privately: PostgreSQL, PgBouncer, mailpit, the Stripe stand-in, the local cluster.
//!
//! Everything binds to loopback, belongs to the test process that started it, and goes with it, also when the process
//! is killed. Nothing is taken from `DATABASE_URL`, `KUBECONFIG` or `STRIPE_SECRET_KEY`: only `TENANTRY_TEST_*` is read.
//!
//! A part that cannot be started fails the test with a panic that says why, as an assertion would.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a part that cannot be started fails the test"
)]

mod cluster;
mod database;
mod files;
mod http;
mod mailpit;
mod pgbouncer;
mod ports;
mod postgres;
mod stripe;
mod supervised;
mod wait;

pub use cluster::LocalCluster;
pub use database::TestDatabase;
pub use files::tool;
pub use mailpit::{MailAddress, Mailpit, ReadMail, ReceivedMail};
pub use pgbouncer::Pgbouncer;
pub use ports::free_port;
pub use postgres::PrivatePostgres;
pub use stripe::StripeStandIn;
pub use supervised::Supervised;
pub use wait::{wait_for, wait_for_ok};
