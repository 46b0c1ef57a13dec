//! The program at a terminal and in scripts, where it takes neither a cluster nor Stripe: what it answers, as text and
//! as JSON, and with which code it ends. What takes them is tested in `end_to_end`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod keys;
mod logs;
mod mails;
mod operators;
mod people;
mod terminal;
