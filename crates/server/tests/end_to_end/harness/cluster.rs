//! The shared cluster, through the programs that operators use.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, time::Duration};

use reqwest::header;
use serde_json::Value;
use tenantry_test_support::{LocalCluster, wait_for};
use tokio::{io::AsyncWriteExt, process::Command};

use super::PATIENCE;

/// What a tenant's host answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// `kubectl`, `helm`, and the way in through the ingress.
#[derive(Debug, Clone)]
pub(crate) struct Kubernetes {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    ingress: String,
}

impl Kubernetes {
    pub(crate) async fn shared() -> Self {
        let cluster = LocalCluster::shared().await;
        Self {
            kubeconfig: cluster.kubeconfig.clone(),
            environment: cluster.environment.clone().into_iter().collect(),
            ingress: cluster.ingress_address.to_string(),
        }
    }

    /// What a successful `kubectl` prints.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        self.run("KUBECTL", arguments, "").await
    }

    /// `kubectl … -o json`, parsed.
    pub(crate) async fn get(&self, arguments: &[&str]) -> Value {
        let text = self.kubectl(&[&["get"], arguments, &["-o", "json"]].concat()).await;
        serde_json::from_str(&text).expect("JSON of kubectl")
    }

    /// `kubectl apply` of a document.
    pub(crate) async fn apply(&self, document: &str) {
        self.run("KUBECTL", &["apply", "-f", "-"], document).await;
    }

    /// What a successful `helm` prints.
    pub(crate) async fn helm(&self, arguments: &[&str]) -> String {
        self.run("HELM", arguments, "").await
    }

    /// Asks the ingress for a host, as a browser would.
    pub(crate) async fn visit(&self, host: &str) -> Option<Page> {
        let answer = reqwest::Client::new()
            .get(format!("http://{}/", self.ingress))
            .header(header::HOST, host)
            .timeout(Duration::from_secs(5))
            .send()
            .await
            .ok()?;
        Some(Page {
            status: answer.status().as_u16(),
            body: answer.text().await.ok()?,
        })
    }

    /// Waits until a host answers with this status.
    pub(crate) async fn until_host_answers(&self, host: &str, status: u16) -> Page {
        wait_for("the host to answer", PATIENCE, async || {
            self.visit(host).await.filter(|page| page.status == status)
        })
        .await
    }

    async fn run(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new(&self.environment[program])
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl or helm");
        let mut pipe = child.stdin.take().expect("its standard input");
        pipe.write_all(input.as_bytes()).await.expect("its standard input");
        drop(pipe);
        let output = child.wait_with_output().await.expect("a child of ours");
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
