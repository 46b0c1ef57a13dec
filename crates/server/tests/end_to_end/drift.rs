//! What people do to the cluster behind Tenantry's back.

use tenantry_test_support::wait_for;

use crate::harness::{Customer, Installation, PATIENCE, audit, unique};

#[tokio::test]
async fn a_namespace_deleted_by_hand_is_made_again() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Accidents").await;
    let (tenant, operation) = installation
        .provision(&customer.organization, "collection", &unique("site"))
        .await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "done");
    let namespace = format!("t-{}", tenant.trim_start_matches("ten_"));
    installation
        .kubernetes
        .kubectl(&["delete", "namespace", &namespace])
        .await;

    let again = wait_for("a second provision", PATIENCE, async || {
        installation
            .ledger
            .operations_of(&tenant, "provision")
            .await
            .into_iter()
            .nth(1)
    })
    .await;
    assert_eq!(installation.ledger.until_operation_ends(&again).await, "done");
    installation.ledger.until_tenant_is(&tenant, "active").await;
    audit(&installation).await;

    // And one that the cluster has lost can still be removed.
    server.kill().await;
    installation
        .kubernetes
        .kubectl(&["delete", "namespace", &namespace])
        .await;
    let removal = installation.deprovision(&tenant).await;
    let server = installation.serve().await;
    assert_eq!(installation.ledger.until_operation_ends(&removal).await, "done");
    audit(&installation).await;
    server.stop().await;
}
