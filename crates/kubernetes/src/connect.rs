//! How the cluster is reached: a kubeconfig, or the service account when running inside.

use std::{path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// Opening a connection takes no longer in any cluster that works.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the cluster and the helm program are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Kubeconfig file; `None` uses the service account of the pod that this runs in.
    pub kubeconfig: Option<PathBuf>,
    /// Context in that file; `None` uses its current one.
    pub context: Option<String>,
    /// The helm program: a path, or a name to be found on `PATH`.
    pub helm: PathBuf,
}

/// Why there is no client for the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file is missing, malformed, or names a context that is not in it.
    #[error("the kubeconfig {path} cannot be used: {source}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: kube::config::KubeconfigError,
    },
    /// Not inside a pod, and no kubeconfig given.
    #[error("no kubeconfig is configured, and this does not run inside a cluster: {0}")]
    NotInCluster(kube::config::InClusterError),
    /// Certificates or keys in the configuration are unusable.
    #[error("the cluster's credentials cannot be used: {0}")]
    Client(kube::Error),
    /// No directory for helm's own files.
    #[error("no temporary directory for helm: {0}")]
    HelmHome(std::io::Error),
}

/// A client that connects when it is first used.
pub(crate) async fn client(settings: &Settings) -> Result<Client, ConnectError> {
    let mut config = match &settings.kubeconfig {
        Some(path) => {
            let unusable = |source| ConnectError::Kubeconfig {
                path: path.clone(),
                source,
            };
            let file = Kubeconfig::read_from(path).map_err(unusable)?;
            let options = KubeConfigOptions {
                context: settings.context.clone(),
                ..KubeConfigOptions::default()
            };
            Config::from_custom_kubeconfig(file, &options).await.map_err(unusable)?
        }
        None => Config::incluster().map_err(ConnectError::NotInCluster)?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    Client::try_from(config).map_err(ConnectError::Client)
}
