//! The cluster port over kube-rs and the real helm program.
//!
//! Everything but the release is written by server-side apply under one field manager, `tenantry`. Every object carries
//! the installation, the tenant and the operation as labels; what is labelled otherwise is never touched.

mod account;
mod apply;
mod cluster;
mod connect;
mod diagnosis;
mod errors;
mod helm;
mod idle;
mod namespace;
mod network;
mod probe;
mod quota;
mod readiness;
mod rights;
mod watch;

pub use cluster::KubernetesCluster;
pub use connect::{ConnectError, Settings};
