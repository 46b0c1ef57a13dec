//! The log of who did what: sealed while others write, verified after somebody went at it with a superuser's rights, on a real
//! PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do fails it")]

mod checkpoints;
mod retention;
mod sealing;
mod tampering;
mod world;
