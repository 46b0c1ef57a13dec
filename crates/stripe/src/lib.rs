//! Stripe as Tenantry's payment provider: a thin adapter, one function for each call that is used.
//!
//! It reads leniently (fields that are missing or new never fail a call that succeeded), writes only with an
//! idempotency key, and says one version of the API on every call.

mod answer;
mod client;
mod config;
mod form;
mod provider;
mod signature;
mod wire;

pub use client::StripeClient;
pub use config::{InvalidStripeConfig, StripeConfig};
pub use signature::{TOLERANCE, sign, verify};

/// The version of Stripe's API that every call and the webhook endpoint speak.
pub const API_VERSION: &str = "2026-08-26.dahlia";
