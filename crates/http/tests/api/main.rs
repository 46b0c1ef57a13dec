//! The API as its clients see it, over a real PostgreSQL and, where mail is sent, a real mail server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

mod allowances;
mod audit;
mod authenticator_apps;
mod avatar;
mod bodies;
mod bombs;
mod clocks;
mod contract;
mod cors;
mod csrf;
mod delete_account;
mod devices;
mod edge;
mod email_change;
mod enumeration;
mod idempotency;
mod impersonation;
mod injection;
mod mails;
mod master_keys;
mod operator_credentials;
mod operators;
mod oracles;
mod organizations;
mod overtaken_passwords;
mod passwords;
mod profile;
mod races;
mod routes;
mod second_factors;
mod sessions;
mod sign_in;
mod sign_up;
mod single_sign_on;
mod support;
mod tenants;
mod tokens;
mod tossed_cookies;
mod unhashed;
mod users;
mod webhooks;
