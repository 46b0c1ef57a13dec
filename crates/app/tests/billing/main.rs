//! Purchases from the button to the queued operation, on a real PostgreSQL and a real stand-in for Stripe.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do fails it")]

mod applying;
mod catalog;
mod checkouts;
mod customers;
mod endings;
mod events;
mod faults;
mod following;
mod gate;
mod healing;
mod inbox;
mod refunds;
mod reminders;
mod renewals;
mod transactions;
mod world;
