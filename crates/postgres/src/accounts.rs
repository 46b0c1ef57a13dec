//! Statements about people and operators.

pub mod operators;
pub mod sessions;
pub mod sign_in_failures;
pub mod sign_ups;
pub mod users;
