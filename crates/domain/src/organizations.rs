//! Customers: their names, the slugs they are found under, roles and what a role may do.

pub mod permission;
pub mod role;
pub mod slug;

pub use permission::Permission;
pub use role::Role;
