//! What is sold, who bought what, and what the payment provider told us.

pub mod calls;
pub mod catalog;
pub mod checkouts;
pub mod customers;
pub mod inbox;
pub mod objects;
pub mod purchases;
pub mod sales;
pub mod subscriptions;
