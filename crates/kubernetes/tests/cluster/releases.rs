//! Helm releases: broken charts, images that are not there, a helm that died, and what a release record holds.

use std::{io::Read, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use tenantry_domain::provisioning::{
    Cluster, ClusterError, Remedy,
    cluster::{Readiness, ReleaseRequest},
};

use crate::support::{TestTenant, chart, secret, wait_for_some};

#[tokio::test]
async fn a_chart_that_does_not_render_says_why_and_leaves_nothing() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let mut values = tenant.values("localhost/collection", "1");
    values.insert("replicas".to_owned(), json!("many"));
    let error = tenant
        .apply_release(&ReleaseRequest { chart: chart(), values })
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.remedy()),
        ("chart_does_not_render", Remedy::GiveUp)
    );
    assert!(error.to_string().contains("/replicas"), "{error}");

    let broken = tempfile::tempdir().unwrap();
    std::fs::create_dir(broken.path().join("templates")).unwrap();
    std::fs::write(
        broken.path().join("Chart.yaml"),
        "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
    )
    .unwrap();
    std::fs::write(
        broken.path().join("templates/a.yaml"),
        "a: {{ .Values.a.b.c | required \"c is required\" }}\n",
    )
    .unwrap();
    let release = ReleaseRequest {
        chart: broken.path().to_owned(),
        values: serde_json::Map::new(),
    };
    let error = tenant.apply_release(&release).await.unwrap_err();
    assert_eq!(error.code(), "chart_does_not_render", "{error}");

    tenant.remove_release().await.unwrap();
    let left = tenant.kubectl(&[
        "get",
        "deployments,services",
        "-n",
        &tenant.placement.namespace,
        "-o",
        "name",
    ]);
    assert_eq!(left.trim(), "");
    tenant.install().await;
}

#[tokio::test]
async fn what_the_cluster_refuses_for_good_is_told_from_what_passes() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let namespace = tenant.placement.namespace.as_str();
    let refused = |document: &str| {
        let (folder, release) = one_template(document);
        let tenant = &tenant;
        async move {
            let _folder = folder;
            let error = tenant.apply_release(&release).await.unwrap_err();
            tenant.remove_release().await.unwrap();
            error
        }
    };
    let config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n";
    for (document, reason) in [
        (
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  ports:\n    - port: 99999\n",
            "must be between 1 and 65535",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  replica: 1\n",
            "field not declared in schema",
        ),
        (
            "apiVersion: example.invalid/v1\nkind: Nothing\nmetadata:\n  name: nothing\n",
            "no matches for kind",
        ),
    ] {
        let error = refused(document).await;
        assert_eq!(
            (error.code(), error.remedy()),
            ("object_refused", Remedy::GiveUp),
            "{error}"
        );
        assert!(error.to_string().contains(reason), "{error}");
    }

    let quota = ["create", "quota", "none", "--hard=count/configmaps=0", "-n", namespace];
    tenant.kubectl(&quota);
    let full = wait_for_some("the quota to count", || async {
        let error = refused(config_map).await;
        Ok((error.remedy() == Remedy::GiveUp).then_some(error))
    })
    .await;
    assert_eq!(full.code(), "quota_exceeded", "{full}");
    tenant.kubectl(&["delete", "quota", "none", "-n", namespace]);

    // A webhook of this namespace alone, whose service is away.
    tenant.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [{
            "name": "gate.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 2,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
            "clientConfig": {"service": {"namespace": namespace, "name": "away"}},
        }],
    }));
    let away = wait_for_some("the webhook to be asked", || async {
        let (_folder, release) = one_template(config_map);
        let ended = tenant.apply_release(&release).await;
        tenant.remove_release().await?;
        Ok(ended.err())
    })
    .await;
    tenant.kubectl(&["delete", "validatingwebhookconfiguration", namespace]);
    assert_eq!((away.code(), away.remedy()), ("cluster_busy", Remedy::Retry), "{away}");
}

/// A chart with one template; it goes with the folder.
fn one_template(document: &str) -> (tempfile::TempDir, ReleaseRequest) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    std::fs::write(
        folder.path().join("Chart.yaml"),
        "apiVersion: v2\nname: one\nversion: 1.0.0\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("templates/all.yaml"), document).unwrap();
    let release = ReleaseRequest {
        chart: folder.path().to_owned(),
        values: serde_json::Map::new(),
    };
    (folder, release)
}

#[tokio::test]
async fn a_chart_that_is_not_there_says_so() {
    let tenant = TestTenant::new().await;
    let release = ReleaseRequest {
        chart: PathBuf::from("/nowhere/tenant"),
        values: serde_json::Map::new(),
    };
    let error = tenant.apply_release(&release).await.unwrap_err();
    assert_eq!(
        error,
        ClusterError::ChartMissing {
            directory: "/nowhere/tenant".to_owned()
        }
    );
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let release = tenant.release("localhost/no-such-image", "7");
    tenant.apply_release(&release).await.unwrap();
    let obstacle = wait_for_some("a reason", || async {
        Ok(match tenant.cluster.readiness(&tenant.placement).await? {
            Readiness::Waiting(obstacle) if obstacle.stubborn && obstacle.code != "no_workload" => Some(obstacle),
            _ => None,
        })
    })
    .await;
    assert_eq!(obstacle.code, "image_cannot_be_pulled");
    assert!(
        obstacle.detail.contains("localhost/no-such-image:7"),
        "{}",
        obstacle.detail
    );
}

#[tokio::test]
async fn a_quota_that_is_too_small_is_named() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    let mut values = tenant.values("localhost/collection", "1");
    values.insert(
        "resources".to_owned(),
        json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}),
    );
    tenant
        .apply_release(&ReleaseRequest { chart: chart(), values })
        .await
        .unwrap();
    let obstacle = wait_for_some("a reason", || async {
        Ok(match tenant.cluster.readiness(&tenant.placement).await? {
            Readiness::Waiting(obstacle) if obstacle.stubborn && obstacle.code != "no_workload" => Some(obstacle),
            _ => None,
        })
    })
    .await;
    assert_eq!(obstacle.code, "quota_exceeded");
}

#[tokio::test]
async fn a_helm_that_died_is_cleaned_up_after() {
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    tenant.install().await;
    let records: Api<Secret> = Api::namespaced(tenant.cluster.client().clone(), &tenant.placement.namespace);
    let record = format!("sh.helm.release.v1.{}.v1", tenant.placement.release);
    let relabel = |status: &str, modified: &str| {
        let labels = json!({"metadata": {"labels": {"status": status, "modifiedAt": modified}}});
        let records = records.clone();
        let record = record.clone();
        async move {
            records
                .patch(&record, &PatchParams::default(), &Patch::Merge(labels))
                .await
                .unwrap()
        }
    };
    let release = tenant.release("localhost/collection", "1");

    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .to_string();
    relabel("pending-install", &now).await;
    let error = tenant.apply_release(&release).await.unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("release_in_progress", Remedy::NotYet));

    relabel("pending-install", "1").await;
    tenant.apply_release(&release).await.unwrap();
    tenant.install().await;
}

#[tokio::test]
async fn no_release_record_holds_a_secret() {
    const PASSWORD: &str = "hunter2-must-not-be-seen";
    let tenant = TestTenant::new().await;
    tenant.prepare().await;
    tenant
        .cluster
        .apply_secret(&tenant.placement, &secret(PASSWORD))
        .await
        .unwrap();
    tenant.install().await;
    tenant.install().await;

    let records: Api<Secret> = Api::namespaced(tenant.cluster.client().clone(), &tenant.placement.namespace);
    let found = records.list(&ListParams::default().labels("owner=helm")).await.unwrap();
    assert_eq!(found.items.len(), 2);
    for record in found {
        let data = record.data.expect("data").remove("release").expect("a release").0;
        let mut text = String::new();
        GzDecoder::new(STANDARD.decode(data).unwrap().as_slice())
            .read_to_string(&mut text)
            .unwrap();
        let release: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(release["config"]["secretEnv"][0]["secret"], "admin");
        assert!(!text.contains(PASSWORD));
        assert!(!text.contains(&STANDARD.encode(PASSWORD)));
    }
    let secrets = records.get("admin").await.unwrap();
    assert_eq!(secrets.data.unwrap()["password"].0, PASSWORD.as_bytes());
}
