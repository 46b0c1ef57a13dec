//! People: addresses, passwords, sessions, and what a failed sign-in costs.

pub mod email;
pub mod impersonation;
pub mod operator;
pub mod password;
pub mod session;
pub mod throttle;
pub mod tokens;

pub use email::{Email, InvalidEmail};
pub use operator::OperatorRole;
pub use password::{InvalidPassword, Password};
