//! The local Kubernetes, shared by all tests of a machine: starting one takes longer than most tests.

use std::{collections::HashMap, env, net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::{process::Command, sync::OnceCell};

use crate::files::repository;

/// How a test reaches the cluster.
#[derive(Debug, Clone)]
pub struct LocalCluster {
    /// Credentials of an administrator.
    pub kubeconfig: PathBuf,
    /// Where the ingress listens on loopback; requests name their host in a header.
    pub ingress_address: SocketAddr,
    /// Everything that `dev/cluster/cluster env` prints.
    pub environment: HashMap<String, String>,
}

static SHARED: OnceCell<LocalCluster> = OnceCell::const_new();

impl LocalCluster {
    /// The cluster named by `TENANTRY_TEST_CLUSTER` (`test` without it). It is started if it is not running, and it
    /// stays: whoever runs the tests ends it (`dev/cluster/cluster down --name test`).
    ///
    /// # Panics
    /// When this machine cannot run one; the message says why. Tests of the cluster fail then, they are not skipped.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::find).await
    }

    async fn find() -> Self {
        let name = env::var("TENANTRY_TEST_CLUSTER").unwrap_or_else(|_| "test".to_owned());
        cluster("up", &name).await;
        let environment: HashMap<String, String> = cluster("env", &name)
            .await
            .lines()
            .filter_map(|line| {
                let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
                Some((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
            })
            .collect();
        Self {
            kubeconfig: environment["KUBECONFIG"].clone().into(),
            ingress_address: environment["INGRESS_ADDRESS"].parse().expect("an address and a port"),
            environment,
        }
    }
}

async fn cluster(verb: &str, name: &str) -> String {
    let output = Command::new(repository().join("dev/cluster/cluster"))
        .args([verb, "--name", name])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("dev/cluster/cluster");
    assert!(
        output.status.success(),
        "no Kubernetes for the tests: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
