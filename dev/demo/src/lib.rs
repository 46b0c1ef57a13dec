//! The parts of a whole Tenantry on one machine and a customer who uses it, for the demonstration and for measuring.

// A library of programs for a terminal.
#![allow(clippy::print_stdout)]

pub mod customer;
pub mod error;
pub mod guest;
pub mod options;
pub mod parts;
pub mod report;
pub mod supervisor;
pub mod timeline;
