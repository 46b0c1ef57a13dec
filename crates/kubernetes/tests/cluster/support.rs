//! What these tests share: a cluster, and a tenant of their own in it that goes when the test ends.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::PostParams};
use serde_json::{Map, Value, json};
use tenantry_domain::{
    ids::{InstallationId, OperationId, OrganizationId, TenantId},
    provisioning::{
        Cluster, ClusterError, Placement, Quota,
        cluster::{Fence, Openings, Probe, ProbeAnswer, Readiness, ReleaseRequest, TenantSecret, Unfenced},
        identifiers,
    },
};
use tenantry_kubernetes::{KubernetesCluster, Settings};
use tenantry_test_support::{self as shared, LocalCluster};
use uuid::Uuid;

/// Long enough for a pod on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(60);

pub const QUOTA: Quota = Quota {
    requests_cpu_milli: 100,
    requests_memory_bytes: 256 << 20,
    limits_cpu_milli: 1000,
    limits_memory_bytes: 512 << 20,
    storage_bytes: 0,
    pods: 4,
};

/// One tenant in the local cluster.
pub struct TestTenant {
    pub cluster: KubernetesCluster,
    pub placement: Placement,
    pub host: String,
    ingress: SocketAddr,
    kubectl: String,
    kubeconfig: PathBuf,
}

pub async fn connect() -> KubernetesCluster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let local = LocalCluster::shared().await;
    KubernetesCluster::connect(settings(local.kubeconfig.clone(), local))
        .await
        .expect("credentials")
}

pub fn settings(kubeconfig: PathBuf, local: &LocalCluster) -> Settings {
    Settings {
        kubeconfig: Some(kubeconfig),
        context: None,
        helm: local.environment["HELM"].clone().into(),
    }
}

impl TestTenant {
    pub async fn new() -> Self {
        let local = LocalCluster::shared().await;
        let tenant = TenantId::from_uuid(Uuid::now_v7());
        let placement = Placement {
            installation: InstallationId::from_uuid(Uuid::now_v7()),
            organization: OrganizationId::from_uuid(Uuid::now_v7()),
            tenant,
            product: "collection".to_owned(),
            operation: OperationId::from_uuid(Uuid::now_v7()),
            namespace: identifiers::namespace(tenant),
            release: identifiers::release(tenant),
        };
        Self {
            cluster: connect().await,
            host: format!("{}.tenants.localhost", placement.namespace),
            placement,
            ingress: local.ingress_address,
            kubectl: local.environment["KUBECTL"].clone(),
            kubeconfig: local.kubeconfig.clone(),
        }
    }

    /// Everything before the release.
    pub async fn prepare(&self) {
        self.cluster.apply_namespace(&self.placement).await.expect("namespace");
        self.cluster
            .apply_network_policies(&self.placement, &self.openings())
            .await
            .expect("policies");
        self.cluster.apply_quota(&self.placement, &QUOTA).await.expect("quota");
        wait_for("the quota in force", || self.cluster.quota_in_force(&self.placement)).await;
        self.cluster
            .apply_service_account(&self.placement)
            .await
            .expect("service account");
        self.cluster
            .apply_secret(&self.placement, &secret("s3cret-of-a-test"))
            .await
            .expect("secret");
    }

    /// The release, and its pods ready.
    pub async fn install(&self) {
        self.apply_release(&self.release("localhost/collection", "1"))
            .await
            .expect("release");
        wait_for("readiness", || async {
            Ok(self.cluster.readiness(&self.placement).await? == Readiness::Ready)
        })
        .await;
    }

    pub async fn apply_release(&self, release: &ReleaseRequest) -> Result<(), ClusterError> {
        self.apply_release_behind(release, &Unfenced).await
    }

    pub async fn remove_release(&self) -> Result<(), ClusterError> {
        self.remove_release_behind(&Unfenced).await
    }

    pub async fn apply_release_behind(&self, release: &ReleaseRequest, fence: &dyn Fence) -> Result<(), ClusterError> {
        let turn = self.cluster.helm_turn().await;
        self.cluster.apply_release(&self.placement, release, turn, fence).await
    }

    pub async fn remove_release_behind(&self, fence: &dyn Fence) -> Result<(), ClusterError> {
        let turn = self.cluster.helm_turn().await;
        self.cluster.remove_release(&self.placement, turn, fence).await
    }

    pub fn openings(&self) -> Openings {
        Openings {
            product_port: 8080,
            ingress_namespace: "ingress".to_owned(),
            egress: vec![],
        }
    }

    pub fn release(&self, repository: &str, tag: &str) -> ReleaseRequest {
        ReleaseRequest {
            chart: chart(),
            values: self.values(repository, tag),
        }
    }

    pub fn values(&self, repository: &str, tag: &str) -> Map<String, Value> {
        let mut labels = self.placement.labels();
        labels.remove(identifiers::MANAGED_BY);
        labels.remove(identifiers::OPERATION);
        let values = json!({
            "image": {"repository": repository, "tag": tag},
            "ingress": {"host": self.host, "className": "traefik"},
            "serviceAccountName": identifiers::SERVICE_ACCOUNT,
            "secretEnv": [{"name": "ADMIN_PASSWORD", "secret": "admin", "key": "password"}],
            "labels": labels,
        });
        values.as_object().cloned().expect("an object")
    }

    pub async fn probe(&self) -> ProbeAnswer {
        let probe = Probe {
            address: Some(self.ingress),
            scheme: "http".to_owned(),
            port: None,
            host: self.host.clone(),
            path: "/health".to_owned(),
            timeout: Duration::from_secs(2),
        };
        self.cluster.probe(&probe).await.expect("a probe")
    }

    /// Whether the sample image's client gets a 200 from inside this tenant's namespace, over a new connection.
    pub async fn can_get(&self, url: &str) -> bool {
        self.run_sample(&["/collection", "get", url]).await
    }

    /// Runs the sample image once in this tenant's namespace; whether it succeeded.
    pub async fn run_sample(&self, command: &[&str]) -> bool {
        let name = format!("get-{}", Uuid::now_v7().simple());
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "get",
                    "image": "localhost/collection:1",
                    "imagePullPolicy": "IfNotPresent",
                    "command": command,
                    "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}},
                    "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                }],
            },
        }))
        .expect("a pod");
        let pods: Api<Pod> = Api::namespaced(self.cluster.client().clone(), &self.placement.namespace);
        pods.create(&PostParams::default(), &pod).await.expect("a client pod");
        let phase = wait_for_some("the client's end", || async {
            let status = pods.get(&name).await.expect("the client pod").status;
            let phase = status.and_then(|status| status.phase).unwrap_or_default();
            Ok(matches!(phase.as_str(), "Succeeded" | "Failed").then_some(phase))
        })
        .await;
        pods.delete(&name, &Default::default())
            .await
            .expect("to remove the client pod");
        phase == "Succeeded"
    }

    /// Applies one object.
    pub fn apply(&self, object: &Value) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), object.to_string()).expect("a file");
        self.kubectl(&["apply", "-f", file.path().to_str().expect("a path")]);
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.kubectl)
            .env_clear()
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", std::env::temp_dir().join("tenantry-kubectl"))
            .args(arguments)
            .output()
            .expect("kubectl");
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for TestTenant {
    fn drop(&mut self) {
        let _ = Command::new(&self.kubectl)
            .env_clear()
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", std::env::temp_dir().join("tenantry-kubectl"))
            .args([
                "delete",
                "namespace",
                &self.placement.namespace,
                "--ignore-not-found",
                "--wait=false",
            ])
            .output();
    }
}

pub fn secret(password: &str) -> TenantSecret {
    TenantSecret {
        name: "admin".to_owned(),
        entries: BTreeMap::from([("password".to_owned(), password.to_owned().into())]),
    }
}

pub fn chart() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../charts/tenant")
}

/// Waits until the cluster's answer is yes.
pub async fn wait_for<F>(what: &str, mut ask: impl FnMut() -> F)
where
    F: Future<Output = Result<bool, ClusterError>>,
{
    shared::wait_for(what, PATIENCE, async || answered(what, ask().await).then_some(())).await;
}

/// Waits until the cluster has an answer.
pub async fn wait_for_some<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<Option<T>, ClusterError>>,
{
    shared::wait_for(what, PATIENCE, async || answered(what, ask().await)).await
}

fn answered<T>(what: &str, answer: Result<T, ClusterError>) -> T {
    answer.unwrap_or_else(|error| panic!("{what}: {error}"))
}
