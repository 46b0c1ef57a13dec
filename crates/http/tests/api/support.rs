//! A whole application in the test's process, and browsers that talk to it.

mod application;
mod authenticator;
mod browser;
mod contract;
mod wire;

pub(crate) use application::{MASTER_KEYS, PASSWORD, PUBLIC_URL, Person, TestApp};
pub(crate) use authenticator::{Authenticator, recovery_codes};
pub(crate) use browser::{Answer, Browser};
pub(crate) use wire::Wire;
