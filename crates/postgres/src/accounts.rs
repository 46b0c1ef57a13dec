//! Statements about people and operators.

pub mod challenges;
pub mod first_operator;
pub mod known_devices;
pub mod operator_accounts;
pub mod operators;
pub mod second_factors;
pub mod sessions;
pub mod sign_in_failures;
pub mod sign_ups;
pub mod user_directory;
pub mod user_sessions;
pub mod users;
