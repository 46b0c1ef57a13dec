//! Statements about people and operators.

pub mod first_operator;
pub mod oidc_clients;
pub mod oidc_codes;
pub mod operator_accounts;
pub mod operators;
pub mod refresh_tokens;
pub mod sessions;
pub mod sign_in_failures;
pub mod sign_ups;
pub mod signing_keys;
pub mod token_secrets;
pub mod user_directory;
pub mod user_sessions;
pub mod users;
