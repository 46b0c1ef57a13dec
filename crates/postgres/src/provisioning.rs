//! Tenants, their domains, secrets and operations.
//!
//! Functions that take any executor see what the caller's scope sees: an organization's rows, or all of them.

pub mod blueprints;
pub mod domains;
pub mod installation;
pub mod operations;
pub mod overview;
pub mod tenants;
