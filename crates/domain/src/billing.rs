//! What is sold and what was bought: the catalog, subscriptions, entitlements, the payment port.
//!
//! Nothing here talks to anybody. A payment provider's object comes in as a value of [`provider`], the ledger's rows as
//! [`settle::Ledger`], and what follows from the two comes out as a list of [`settle::Change`]s.

pub mod catalog;
pub mod checkout;
pub mod provider;
pub mod settle;
pub mod subscription;

pub use provider::{PaymentError, PaymentProvider};
