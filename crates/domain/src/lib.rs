//! What Tenantry knows about its business: identifiers, states and their legal moves, the catalog, and the decisions
//! made from them. Pure: no I/O, no async runtime, time and randomness are passed in.
//!
//! Each area has the same name here as in every other crate.

pub mod accounts;
pub mod audit;
pub mod billing;
pub mod clock;
pub mod display_name;
pub mod ids;
pub mod mail;
pub mod money;
pub mod organizations;
pub mod provisioning;
