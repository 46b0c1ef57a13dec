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
        .cluster
        .apply_release(&tenant.placement, &ReleaseRequest { chart: chart(), values })
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
    let error = tenant
        .cluster
        .apply_release(&tenant.placement, &release)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "chart_does_not_render", "{error}");

    tenant.cluster.remove_release(&tenant.placement).await.unwrap();
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
async fn a_chart_that_is_not_there_says_so() {
    let tenant = TestTenant::new().await;
    let release = ReleaseRequest {
        chart: PathBuf::from("/nowhere/tenant"),
        values: serde_json::Map::new(),
    };
    let error = tenant
        .cluster
        .apply_release(&tenant.placement, &release)
        .await
        .unwrap_err();
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
    tenant.cluster.apply_release(&tenant.placement, &release).await.unwrap();
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
        .cluster
        .apply_release(&tenant.placement, &ReleaseRequest { chart: chart(), values })
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
    let error = tenant
        .cluster
        .apply_release(&tenant.placement, &release)
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("release_in_progress", Remedy::NotYet));

    relabel("pending-install", "1").await;
    tenant.cluster.apply_release(&tenant.placement, &release).await.unwrap();
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
