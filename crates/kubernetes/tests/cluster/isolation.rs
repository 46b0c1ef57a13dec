//! The network policies, seen from another tenant's pod.

use k8s_openapi::api::{core::v1::Pod, networking::v1::NetworkPolicy};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use tenantry_domain::provisioning::{
    Cluster,
    cluster::{Part, Unfenced},
};

use crate::support::{TestTenant, wait_for};

#[tokio::test]
async fn another_tenants_pod_gets_through_only_without_the_policies() {
    let (target, other) = (TestTenant::new().await, TestTenant::new().await);
    target.prepare().await;
    target.install().await;
    other.prepare().await;

    let pods: Api<Pod> = Api::namespaced(target.cluster.client().clone(), &target.placement.namespace);
    let of_release = ListParams::default().labels(&format!("app.kubernetes.io/instance={}", target.placement.release));
    let pod = pods.list(&of_release).await.unwrap().items.remove(0);
    let url = format!(
        "http://{}:8080/health",
        pod.status.and_then(|status| status.pod_ip).expect("an address")
    );
    assert!(!other.can_get(&url).await, "the policies let another tenant through");

    // Its own policies keep the other tenant in, the target's keep it out: both have to go.
    other
        .cluster
        .remove(&other.placement, Part::NetworkPolicies, &Unfenced)
        .await
        .unwrap();
    assert!(
        !other.can_get(&url).await,
        "the target's own policies let another tenant through"
    );
    let policies: Api<NetworkPolicy> = Api::namespaced(target.cluster.client().clone(), &target.placement.namespace);
    policies
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .unwrap();
    wait_for("a way through without policies", || async {
        Ok(other.can_get(&url).await)
    })
    .await;
}

#[tokio::test]
async fn dns_answers_behind_the_policies() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let resolved = tenant
        .run_sample(&["/collection", "resolve", "kubernetes.default.svc.cluster.local"])
        .await;
    assert!(resolved, "a tenant's pod cannot resolve names");
    assert!(
        !tenant.can_get("http://kubernetes.default.svc.cluster.local:443/").await,
        "a tenant's pod reaches the API server"
    );
}
