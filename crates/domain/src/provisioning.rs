//! What runs: tenants, their identifiers, names and states, and the cluster port.

pub mod cluster;
pub mod convergence;
pub mod failure;
pub mod identifiers;
pub mod names;
pub mod quota;
pub mod state;
pub mod values;
pub mod workload;

pub use cluster::{Cluster, ClusterError, Remedy};
pub use failure::StateReason;
pub use identifiers::Placement;
pub use names::{HostLabel, NameError};
pub use quota::Quota;
pub use state::{DesiredState, IllegalMove, TenantState};
pub use workload::{Egress, GeneratedSecret, Workload};
