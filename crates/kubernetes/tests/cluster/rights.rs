//! Credentials that may not do everything.

use serde_json::json;
use tenantry_domain::provisioning::{
    Cluster, ClusterError, Remedy,
    cluster::{Part, Right, Unfenced},
};
use tenantry_kubernetes::KubernetesCluster;
use tenantry_test_support::LocalCluster;

use crate::support::{TestTenant, connect, settings};

#[tokio::test]
async fn an_administrator_has_every_right() {
    let rights = connect().await.check_rights().await.unwrap();
    assert!(rights.len() > 40);
    assert!(rights.iter().all(|right| right.granted));
}

/// Credentials of the service account `limited` in the tenant's namespace.
async fn limited(tenant: &TestTenant) -> (KubernetesCluster, tempfile::NamedTempFile) {
    let local = LocalCluster::shared().await;
    let token = tenant.kubectl(&["create", "token", "limited", "-n", &tenant.placement.namespace]);
    let mut config: serde_json::Value =
        serde_json::from_str(&tenant.kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"])).unwrap();
    config["users"] = json!([{"name": "limited", "user": {"token": token.trim()}}]);
    config["contexts"][0]["context"]["user"] = "limited".into();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    (
        KubernetesCluster::connect(settings(file.path().to_owned(), local))
            .await
            .unwrap(),
        file,
    )
}

#[tokio::test]
async fn the_role_that_is_shipped_is_enough() {
    let host = TestTenant::new().await;
    host.cluster.apply_namespace(&host.placement).await.unwrap();
    let namespace = &host.placement.namespace;
    let role = tempfile::NamedTempFile::new().unwrap();
    let shipped = include_str!("../../cluster-role.yaml").replace("name: tenantry\n", &format!("name: {namespace}\n"));
    std::fs::write(role.path(), shipped).unwrap();
    host.kubectl(&["apply", "-f", role.path().to_str().unwrap()]);
    host.kubectl(&["create", "serviceaccount", "limited", "-n", namespace]);
    let account = format!("--serviceaccount={namespace}:limited");
    host.kubectl(&[
        "create",
        "clusterrolebinding",
        namespace,
        &format!("--clusterrole={namespace}"),
        &account,
    ]);

    let (cluster, _file) = limited(&host).await;
    let rights = cluster.check_rights().await.unwrap();
    let missing: Vec<_> = rights.iter().filter(|right| !right.granted).collect();
    let mut tenant = TestTenant::new().await;
    tenant.cluster = cluster;
    tenant.prepare().await;
    tenant.install().await;
    tenant.remove_release().await.unwrap();
    for part in [Part::Secrets, Part::ServiceAccount, Part::Quota, Part::NetworkPolicies] {
        tenant.cluster.remove(&tenant.placement, part, &Unfenced).await.unwrap();
    }
    tenant
        .cluster
        .remove_namespace(&tenant.placement, &Unfenced)
        .await
        .unwrap();
    host.kubectl(&["delete", "clusterrole,clusterrolebinding", namespace]);
    assert_eq!(missing, Vec::<&Right>::new());
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let tenant = TestTenant::new().await;
    tenant.cluster.apply_namespace(&tenant.placement).await.unwrap();
    let namespace = &tenant.placement.namespace;
    tenant.kubectl(&["create", "serviceaccount", "limited", "-n", namespace]);
    tenant.kubectl(&[
        "create",
        "role",
        "limited",
        "-n",
        namespace,
        "--verb=list",
        "--resource=secrets",
    ]);
    let account = format!("--serviceaccount={namespace}:limited");
    tenant.kubectl(&[
        "create",
        "rolebinding",
        "limited",
        "-n",
        namespace,
        "--role=limited",
        &account,
    ]);
    let (limited, _file) = limited(&tenant).await;

    let error = limited.apply_namespace(&tenant.placement).await.unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("forbidden", Remedy::GiveUp));
    let ClusterError::Forbidden { verb, resource, mend } = error else {
        panic!()
    };
    assert_eq!((verb.as_str(), resource.as_str()), ("create", "namespaces"));
    assert!(mend.contains("limited"), "{mend}");

    // Helm's refusals read the same.
    let error = limited
        .apply_release(
            &tenant.placement,
            &tenant.release("localhost/collection", "1"),
            limited.helm_turn().await,
            &Unfenced,
        )
        .await
        .unwrap_err();
    assert_eq!(error.code(), "forbidden", "{error}");

    let rights = limited.check_rights().await.unwrap();
    assert!(
        rights
            .iter()
            .any(|right| right.verb == "create" && right.resource == "namespaces" && !right.granted)
    );
}

#[tokio::test]
async fn a_cluster_that_is_away_is_tried_again() {
    let local = LocalCluster::shared().await;
    let tenant = TestTenant::new().await;
    let mut config: serde_json::Value =
        serde_json::from_str(&tenant.kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"])).unwrap();
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1".into();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    let away = KubernetesCluster::connect(settings(file.path().to_owned(), local))
        .await
        .unwrap();
    let error = away.apply_namespace(&tenant.placement).await.unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("cluster_unreachable", Remedy::Retry));
}
