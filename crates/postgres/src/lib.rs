//! PostgreSQL: the scopes that every statement runs in, the schema, and the statements of each area.

pub mod accounts;
pub mod audit;
pub mod billing;
pub mod config;
mod database;
mod error;
pub mod guard;
pub mod idempotency;
pub mod isolation;
pub mod livemode;
pub mod mail_causes;
pub mod migrate;
pub mod organizations;
pub mod provisioning;
pub mod roles;
mod scope;
mod scram;
pub mod sealed_columns;
pub mod sealed_secrets;
pub mod sweep;
pub mod trace;
mod unnamed;

pub use config::DatabaseConfig;
pub use database::{Database, Turn};
pub use error::{ConflictKind, DatabaseError};
pub use scope::{OrganizationTx, Scoped, SystemTx, UserTx};
