//! A tenant comes and goes.

use std::sync::{Arc, Mutex};

use tenantry_domain::provisioning::{
    Cluster, ClusterError,
    cluster::{NamespaceApplied, Part, ProbeAnswer, Unfenced},
};

use crate::support::{TestTenant, wait_for};

#[tokio::test]
async fn a_tenant_answers_through_the_ingress_and_leaves_nothing() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    tenant.prepare().await;
    tenant.install().await;
    wait_for("an answer", || async {
        Ok(tenant.probe().await == ProbeAnswer::Healthy)
    })
    .await;
    assert!(
        tenant
            .kubectl(&["get", "events", "-n", &placement.namespace, "-o", "name"])
            .lines()
            .count()
            > 0
    );

    // Every call may be made twice.
    tenant.prepare().await;
    tenant.install().await;
    assert_eq!(cluster.apply_namespace(placement).await, Ok(NamespaceApplied::Created));

    for _ in 0..2 {
        tenant.remove_release().await.unwrap();
        wait_for("the end of what ran", || cluster.is_idle(placement)).await;
        for part in [Part::Secrets, Part::ServiceAccount, Part::Quota, Part::NetworkPolicies] {
            cluster.remove(placement, part, &Unfenced).await.unwrap();
        }
    }
    let left = tenant.kubectl(&[
        "get",
        "networkpolicies,resourcequotas,limitranges,secrets,deployments,services,ingresses",
        "-n",
        &placement.namespace,
        "-o",
        "name",
    ]);
    assert_eq!(left.trim(), "");
    cluster.remove_namespace(placement, &Unfenced).await.unwrap();
    wait_for("the namespace's end", || cluster.namespace_gone(placement)).await;

    // And from here on there is nothing to do, which is fine.
    tenant.remove_release().await.unwrap();
    cluster.remove(placement, Part::Secrets, &Unfenced).await.unwrap();
    cluster.remove_namespace(placement, &Unfenced).await.unwrap();
    assert!(matches!(
        cluster.apply_service_account(placement).await,
        Err(ClusterError::NotFound { .. })
    ));
}

#[tokio::test]
async fn namespaces_are_found_again_by_installation() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    cluster.apply_namespace(placement).await.unwrap();
    let owned = cluster.owned_namespaces(placement.installation).await.unwrap();
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0].name, placement.namespace);
    assert_eq!(owned[0].tenant, Some(placement.tenant));
    assert_eq!(owned[0].operation, Some(placement.operation));
    assert!(owned[0].created_at.is_some());
}

#[tokio::test]
async fn readiness_is_noticed_by_watch() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let noticed = Arc::new(Mutex::new(Vec::new()));
    let watching = tokio::spawn({
        let (cluster, installation, noticed) = (tenant.cluster.clone(), tenant.placement.installation, noticed.clone());
        async move {
            cluster
                .watch(
                    installation,
                    Arc::new(move |tenant, _| noticed.lock().unwrap().push(tenant)),
                )
                .await
        }
    });
    wait_for("the quota to be noticed", || async {
        Ok(!noticed.lock().unwrap().is_empty())
    })
    .await;
    noticed.lock().unwrap().clear();
    tenant.install().await;
    wait_for("the deployment to be noticed", || async {
        Ok(!noticed.lock().unwrap().is_empty())
    })
    .await;
    assert!(
        noticed
            .lock()
            .unwrap()
            .iter()
            .all(|seen| *seen == tenant.placement.tenant)
    );
    watching.abort();
}

#[tokio::test]
async fn the_cluster_tells_its_versions_and_classes() {
    let cluster = crate::support::connect().await;
    assert!(cluster.version().await.unwrap().starts_with("v1."));
    assert!(cluster.helm_version().await.unwrap().starts_with("v4."));
    assert!(cluster.ingress_class_exists("traefik").await.unwrap());
    assert!(!cluster.ingress_class_exists("no-such-class").await.unwrap());
}
