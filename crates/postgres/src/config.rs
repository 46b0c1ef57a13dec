//! Where the database is and how much of it this process may use.

use std::time::Duration;

use secrecy::SecretString;

/// The connections of a running server. The owner's is not among them: only `migrate` uses that one.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Log-in as `tenantry_app`; may lead through a transaction pooler.
    pub app_url: SecretString,
    /// Log-in as `tenantry_system`; may lead through a transaction pooler.
    pub system_url: SecretString,
    /// Log-in as `tenantry_system` without a pooler, for work that needs a session (LISTEN, the engine). Without it
    /// `system_url` is taken to be direct.
    pub direct_url: Option<SecretString>,
    /// How many connections each pool may hold.
    pub pools: PoolSizes,
    /// How long a request waits for a free connection before it is answered with an error.
    pub acquire_timeout: Duration,
}

/// The most connections that one process opens. The sum over all replicas must stay below `max_connections`.
#[derive(Debug, Clone, Copy)]
pub struct PoolSizes {
    /// Customers' requests.
    pub app: u32,
    /// Sign-in, inbox and operators' requests.
    pub system: u32,
    /// Engine, jobs and LISTEN.
    pub direct: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self {
            app: 10,
            system: 10,
            direct: 10,
        }
    }
}

impl DatabaseConfig {
    /// Two log-ins and everything else as most installations want it.
    #[must_use]
    pub fn new(app_url: SecretString, system_url: SecretString) -> Self {
        Self {
            app_url,
            system_url,
            direct_url: None,
            pools: PoolSizes::default(),
            acquire_timeout: Duration::from_secs(5),
        }
    }
}
