//! The API as its clients see it, over a real PostgreSQL and, where mail is sent, a real mail server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

mod bodies;
mod csrf;
mod devices;
mod edge;
mod idempotency;
mod impersonation;
mod operators;
mod organizations;
mod routes;
mod second_factors;
mod sessions;
mod sign_in;
mod sign_up;
mod support;
mod tenants;
mod users;
mod webhooks;
