//! A whole application in the test's process, and browsers that talk to it.

mod application;
mod browser;
mod contract;

pub(crate) use application::{MASTER_KEYS, PASSWORD, TestApp};
pub(crate) use browser::{Answer, Browser};
