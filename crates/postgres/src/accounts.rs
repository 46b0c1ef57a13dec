//! Statements about people and operators.

pub mod avatars;
pub mod challenges;
pub mod erasure;
pub mod first_operator;
pub mod known_devices;
pub mod oidc_clients;
pub mod oidc_codes;
pub mod one_time_tokens;
pub mod operator_accounts;
pub mod operator_credentials;
pub mod operator_devices;
pub mod operators;
pub mod profiles;
pub mod refresh_tokens;
pub mod request_rates;
pub mod second_factors;
pub mod sessions;
pub mod sign_in_failures;
pub mod sign_ups;
pub mod signing_keys;
pub mod user_directory;
pub mod user_sessions;
pub mod users;
