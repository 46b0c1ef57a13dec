//! What the demonstration is told by flags and `DEMO_…` variables.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use url::Url;

use crate::error::DemoError;

/// Starts every part of Tenantry on this machine and plays a first customer.
#[derive(Debug, Clone, Parser)]
#[command(name = "tenantry-demo", version)]
pub struct Options {
    /// End after the tenant has answered.
    #[arg(long)]
    pub once: bool,
    /// Instead of playing a customer, run this with the parts' addresses and `tenantry`'s own settings in its environment,
    /// then end as it ended.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Name of the local cluster.
    #[arg(long, default_value = "demo")]
    pub cluster: String,
    /// Leave that cluster running at the end.
    #[arg(long)]
    pub keep_cluster: bool,
    /// Directory of built programs.
    #[arg(long, value_name = "DIRECTORY")]
    pub programs: PathBuf,
    /// The checkout, for charts, the catalog and scripts.
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub source: PathBuf,
    /// Directory for state; emptied at every start.
    #[arg(long, value_name = "DIRECTORY")]
    pub state: PathBuf,
    /// Prefer this port for the application; another is taken when it is busy.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Prefer this port for tenants; 0 leaves it to the cluster.
    #[arg(long, default_value_t = 8081)]
    pub tenant_port: u16,
    /// A PostgreSQL of your own: the owner's URL of an empty database, or of one that an earlier demo made.
    #[arg(long, env = "DEMO_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Url>,
    /// A cluster of your own.
    #[arg(long, env = "DEMO_KUBECONFIG", requires = "ingress_address")]
    pub kubeconfig: Option<PathBuf>,
    /// Where the ingress of that cluster answers, as ADDRESS:PORT. Tenants live under tenants.localhost there.
    #[arg(
        long,
        env = "DEMO_INGRESS_ADDRESS",
        requires = "kubeconfig",
        value_name = "ADDRESS:PORT"
    )]
    pub ingress_address: Option<SocketAddr>,
    /// That cluster's ingress class.
    #[arg(long, env = "DEMO_INGRESS_CLASS", default_value = "traefik")]
    pub ingress_class: String,
    /// The namespace that its ingress controller runs in.
    #[arg(long, env = "DEMO_INGRESS_NAMESPACE", default_value = "ingress")]
    pub ingress_namespace: String,
    /// The helm program to use with that cluster.
    #[arg(long, env = "DEMO_HELM", default_value = "helm")]
    pub helm: PathBuf,
    /// An image that this cluster can pull, in place of the sample product: it answers on port 8080, /health included.
    #[arg(long, env = "DEMO_IMAGE", requires = "kubeconfig")]
    pub image: Option<String>,
    /// A Stripe test key; a live key is refused.
    #[arg(long, env = "DEMO_STRIPE_KEY", hide_env_values = true)]
    pub stripe_key: Option<String>,
    /// A mail server instead of the local inbox; then the confirmation link is pasted by hand.
    #[arg(long, env = "DEMO_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
}

impl Options {
    /// Refuses what would touch real money. Somebody's real database is refused when it is looked at.
    pub fn checked(self) -> Result<Self, DemoError> {
        if let Some(key) = &self.stripe_key
            && !(key.starts_with("sk_test_") || key.starts_with("rk_test_"))
        {
            return Err(DemoError::Refused(
                "DEMO_STRIPE_KEY is not a test key. Take one that begins with sk_test_ from Stripe's dashboard in test mode"
                    .into(),
            ));
        }
        if let Some(kubeconfig) = &self.kubeconfig
            && let Err(error) = std::fs::File::open(kubeconfig)
        {
            return Err(DemoError::Refused(format!(
                "DEMO_KUBECONFIG names {}, which cannot be read: {error}",
                kubeconfig.display()
            )));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Options {
        Options::parse_from(["demo", "--programs", "/p", "--state", "/s"].iter().chain(arguments))
    }

    #[test]
    fn a_cluster_needs_an_ingress() {
        let parse = |arguments: &[&str]| {
            Options::try_parse_from(["demo", "--programs", "/p", "--state", "/s"].iter().chain(arguments))
        };
        assert!(parse(&["--kubeconfig", "/k"]).is_err());
        assert!(parse(&["--kubeconfig", "/k", "--ingress-address", "192.0.2.7:80"]).is_ok());
        assert!(parse(&["--image", "registry.example.com/product:1"]).is_err());
    }

    #[test]
    fn a_live_key_is_refused() {
        assert!(parse(&["--stripe-key", "sk_live_abc"]).checked().is_err());
        assert!(parse(&["--stripe-key", "sk_test_abc"]).checked().is_ok());
    }
}
