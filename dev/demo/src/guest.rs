//! The demonstration as a guest in somebody's own cluster: its tenants are removed before it goes, since that cluster stays.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use tokio::{process::Command, time::timeout};

use crate::{
    options::Options,
    parts::{control_plane::tenantry, output},
    report::say,
};

/// For one tenant, what is at work on it included.
const PATIENCE: Duration = Duration::from_secs(90);

/// How it asks the control plane, for as long as that runs.
pub struct Guest {
    options: Options,
    environment: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Tenant {
    id: String,
    namespace: String,
}

impl Guest {
    /// With the environment that `tenantry` runs with.
    pub fn new(options: &Options, environment: &HashMap<String, String>) -> Self {
        Self {
            options: options.clone(),
            environment: environment.clone(),
        }
    }

    /// Removes every tenant, and says of each one that stays how it is removed by hand.
    pub async fn leave(self) {
        let mut list = self.tenantry(&["tenant", "list", "--limit", "1000", "--output", "json"]);
        let listed = output("tenantry", &mut list).await;
        let tenants: Vec<Tenant> = match listed.map(|text| serde_json::from_str(&text)) {
            Ok(Ok(tenants)) => tenants,
            Ok(Err(error)) => return say(&format!("what is left in your cluster is not known: {error}")),
            Err(error) => return say(&format!("what is left in your cluster is not known: {error}")),
        };
        if !tenants.is_empty() {
            say("removing the demonstration's tenants from your cluster");
        }
        for Tenant { id, namespace } in tenants {
            let mut removal = self.tenantry(&["tenant", "deprovision", &id, "--yes", "--wait"]);
            removal.kill_on_drop(true);
            let reason = match timeout(PATIENCE, output("the removal", &mut removal)).await {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it takes more than {} s", PATIENCE.as_secs()),
            };
            say(&format!("{id} stays in your cluster: {reason}"));
            say(&format!("`kubectl delete namespace {namespace}` removes it"));
        }
    }

    fn tenantry(&self, arguments: &[&str]) -> Command {
        let mut command = tenantry(&self.options, &self.environment);
        // Ctrl-C once more, while the cluster is being left, is not meant for these.
        command.args(arguments).process_group(0);
        command
    }
}
