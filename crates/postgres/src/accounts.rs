//! Statements about people and operators.

pub mod first_operator;
pub mod operator_accounts;
pub mod operators;
pub mod sessions;
pub mod sign_in_failures;
pub mod sign_ups;
pub mod user_directory;
pub mod user_sessions;
pub mod users;
