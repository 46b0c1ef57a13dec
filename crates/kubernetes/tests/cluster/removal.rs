//! What is taken away, when, and by whom: not before what runs has ended, and not by a worker that others have overtaken.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::PostParams};
use serde_json::json;
use tenantry_domain::{
    ids::OperationId,
    provisioning::{
        Cluster, ClusterError, Placement,
        cluster::{Fence, NamespaceApplied, Part, Readiness},
    },
};
use tenantry_kubernetes::KubernetesCluster;
use uuid::Uuid;

use crate::support::{TestTenant, wait_for};

const PARTS: [Part; 4] = [Part::Secrets, Part::ServiceAccount, Part::Quota, Part::NetworkPolicies];

/// The lease of a worker that was stopped after its last look: somebody else has the operation now.
struct Lost;

#[async_trait]
impl Fence for Lost {
    async fn check(&self) -> Result<(), ClusterError> {
        Err(ClusterError::Superseded)
    }
}

/// A worker that is stopped between the fence's answer and the act, for as long as another operation needs to write.
struct Overtaken {
    cluster: KubernetesCluster,
    other: Placement,
    tenant: TestTenant,
}

#[async_trait]
impl Fence for Overtaken {
    async fn check(&self) -> Result<(), ClusterError> {
        self.cluster.apply_namespace(&self.other).await?;
        self.cluster
            .apply_network_policies(&self.other, &self.tenant.openings())
            .await
    }
}

fn by_another_operation(placement: &Placement) -> Placement {
    Placement {
        operation: OperationId::from_uuid(Uuid::now_v7()),
        ..placement.clone()
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_after_its_last_look_removes_nothing() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    tenant.prepare().await;
    tenant.install().await;
    let superseded = Err(ClusterError::Superseded);
    assert_eq!(tenant.remove_release_behind(&Lost).await, superseded);
    for part in PARTS {
        assert_eq!(cluster.remove(placement, part, &Lost).await, superseded);
    }
    assert_eq!(cluster.remove_namespace(placement, &Lost).await, superseded);
    let release = tenant.release("localhost/collection", "1");
    assert_eq!(tenant.apply_release_behind(&release, &Lost).await, superseded);
    assert_eq!(cluster.readiness(placement).await, Ok(Readiness::Ready));
    assert!(!cluster.namespace_gone(placement).await.unwrap());
}

#[tokio::test]
async fn what_another_operation_wrote_since_the_fence_stays() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let (cluster, placement) = (tenant.cluster.clone(), tenant.placement.clone());
    let late = Overtaken {
        cluster: cluster.clone(),
        other: by_another_operation(&placement),
        tenant,
    };
    let error = cluster.remove_namespace(&placement, &late).await.unwrap_err();
    assert_eq!(error.code(), "field_conflict", "{error}");
    assert!(!cluster.namespace_gone(&placement).await.unwrap());
    assert_eq!(
        cluster.apply_namespace(&by_another_operation(&placement)).await,
        Ok(NamespaceApplied::TakenUp)
    );
}

#[tokio::test]
async fn a_namespace_is_new_to_the_operation_that_made_it_also_when_it_asks_again() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    let other = by_another_operation(placement);
    for (by, found) in [
        (placement, NamespaceApplied::Created),
        (placement, NamespaceApplied::Created),
        (&other, NamespaceApplied::TakenUp),
        (&other, NamespaceApplied::TakenUp),
        (placement, NamespaceApplied::Created),
    ] {
        assert_eq!(cluster.apply_namespace(by).await, Ok(found));
    }
}

#[tokio::test]
async fn a_namespace_is_idle_only_when_its_last_pod_has_ended() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    tenant.prepare().await;
    tenant.install().await;
    // Made by hand, and slow to end.
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "slow"},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "slow",
                "image": "localhost/collection:1",
                "imagePullPolicy": "IfNotPresent",
                "lifecycle": {"preStop": {"sleep": {"seconds": 4}}},
                "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    }))
    .unwrap();
    let pods: Api<Pod> = Api::namespaced(cluster.client().clone(), &placement.namespace);
    pods.create(&PostParams::default(), &pod).await.unwrap();
    wait_for("the slow pod", || async {
        let status = pods.get("slow").await.unwrap().status;
        Ok(status.and_then(|status| status.phase).as_deref() == Some("Running"))
    })
    .await;
    assert!(!cluster.is_idle(placement).await.unwrap());

    tenant.remove_release().await.unwrap();
    assert!(!cluster.is_idle(placement).await.unwrap());
    wait_for("the end of what ran", || cluster.is_idle(placement)).await;
    // What the cluster has yet to clear away has ended.
    for pod in pods.list(&Default::default()).await.unwrap() {
        let phase = pod.status.and_then(|status| status.phase);
        assert!(matches!(phase.as_deref(), Some("Succeeded" | "Failed")), "{phase:?}");
    }
    // A second removal finds nothing to do.
    tenant.remove_release().await.unwrap();
}
