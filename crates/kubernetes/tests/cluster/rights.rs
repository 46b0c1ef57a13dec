//! Credentials that may not do everything.

use std::os::unix::fs::PermissionsExt;

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

/// As with the kubeconfigs of cloud providers: a program says who we are, and finds its own settings in our home.
#[tokio::test]
async fn helm_logs_in_as_we_do_through_a_credential_plugin() {
    let local = LocalCluster::shared().await;
    let tenant = TestTenant::new().await;
    tenant.cluster.apply_namespace(&tenant.placement).await.unwrap();
    tenant.cluster.helm_reaches_cluster().await.unwrap();
    let namespace = &tenant.placement.namespace;
    tenant.kubectl(&["create", "serviceaccount", "limited", "-n", namespace]);
    let token = tenant.kubectl(&["create", "token", "limited", "-n", namespace]);

    let version = "client.authentication.k8s.io/v1";
    let files = tempfile::tempdir().unwrap();
    let (credential, plugin) = (files.path().join("credential.json"), files.path().join("plugin"));
    let said = json!({"apiVersion": version, "kind": "ExecCredential", "status": {"token": token.trim()}});
    std::fs::write(&credential, said.to_string()).unwrap();
    let home = std::env::var("HOME").unwrap();
    let script = format!(
        "#!/bin/sh\ntest \"$HOME\" = '{home}' && cat '{}'\n",
        credential.display()
    );
    std::fs::write(&plugin, script).unwrap();
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut config: serde_json::Value =
        serde_json::from_str(&tenant.kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"])).unwrap();
    let exec = json!({"apiVersion": version, "command": plugin, "interactiveMode": "Never"});
    config["users"] = json!([{ "name": "plugged", "user": { "exec": exec } }]);
    config["contexts"][0]["context"]["user"] = "plugged".into();
    let kubeconfig = files.path().join("kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let plugged = KubernetesCluster::connect(settings(kubeconfig, local)).await.unwrap();

    // Whoever is refused by name has logged in.
    let ours = plugged.apply_namespace(&tenant.placement).await.unwrap_err();
    let helms = plugged.helm_reaches_cluster().await.unwrap_err();
    for error in [ours, helms] {
        let ClusterError::Forbidden { mend, .. } = error else {
            panic!("{error}")
        };
        assert!(
            mend.contains(&format!("system:serviceaccount:{namespace}:limited")),
            "{mend}"
        );
    }
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
