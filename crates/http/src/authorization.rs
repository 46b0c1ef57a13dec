//! Who calls and what they may: extractors, so that a handler's signature is the proof.

mod authority;
mod authorized;
mod credential;
mod operator;
pub mod permission;
mod signed_in;

pub use authorized::Authorized;
pub use operator::{Admin, MinimumRole, Operator, Support, Viewer};
pub use permission::Permissions;
pub use signed_in::{Leaving, SignedIn};

pub(crate) use authority::Authority;
pub(crate) use credential::{Bearer, bearer};
