//! What is not ours is not touched.

use tenantry_domain::{
    ids::InstallationId,
    provisioning::{Cluster, ClusterError, cluster::Unfenced},
};
use uuid::Uuid;

use crate::support::TestTenant;

#[tokio::test]
async fn a_namespace_of_somebody_else_is_left_alone() {
    let tenant = TestTenant::new().await;
    let (cluster, placement) = (&tenant.cluster, &tenant.placement);
    tenant.kubectl(&["create", "namespace", &placement.namespace]);
    let before = tenant.kubectl(&[
        "get",
        "namespace",
        &placement.namespace,
        "-o",
        "json",
        "--show-managed-fields",
    ]);

    for result in [
        cluster.apply_namespace(placement).await.map(drop),
        cluster.remove_namespace(placement, &Unfenced).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "namespace_not_ours");
        assert!(matches!(error, ClusterError::NamespaceNotOurs { .. }));
    }
    // For the tenant there is nothing to remove, so that an operation that met this can end.
    assert!(cluster.namespace_gone(placement).await.unwrap());
    tenant.remove_release().await.unwrap();
    let after = tenant.kubectl(&[
        "get",
        "namespace",
        &placement.namespace,
        "-o",
        "json",
        "--show-managed-fields",
    ]);
    assert_eq!(before, after);
}

#[tokio::test]
async fn another_installations_tenant_is_left_alone() {
    let tenant = TestTenant::new().await;
    tenant.cluster.apply_namespace(&tenant.placement).await.unwrap();
    let mut other = tenant.placement.clone();
    other.installation = InstallationId::from_uuid(Uuid::now_v7());
    let Err(ClusterError::NamespaceNotOurs { owner, .. }) = tenant.cluster.apply_namespace(&other).await else {
        panic!()
    };
    assert!(owner.contains(&tenant.placement.installation.to_string()), "{owner}");
}
