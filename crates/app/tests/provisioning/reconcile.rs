//! Cluster and ledger agree again, whoever changed what.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tenantry_app::provisioning;
use tenantry_domain::provisioning::{TenantState, cluster::OwnedNamespace};
use tenantry_operations::EngineConfig;
use tenantry_test_support::wait_for;

use crate::{scripted::ScriptedCluster, world::World};

#[tokio::test]
async fn a_namespace_deleted_by_hand_is_made_again() {
    let world = World::new().await;
    let (id, operation) = world.provision("comes-back").await;
    world.until(operation, &["done"]).await;
    let tenant = world.until_tenant(id, TenantState::Active).await;
    world.kubectl(&["delete", "namespace", &tenant.namespace, "--wait=true"]);

    // Noticed by watch, without waiting for the timer.
    let again = wait_for("another operation", Duration::from_secs(30), async || {
        let view = world.tenant(id).await;
        view.operations.first().filter(|latest| latest.id != operation).cloned()
    })
    .await;
    assert_eq!(again.cause, "the namespace, or what runs in it, is missing");
    assert_eq!(world.until(again.id, &["done", "undone", "stuck"]).await.state, "done");
    assert_eq!(world.answer(&tenant).await, 200);
    // It was welcomed once.
    assert_eq!(world.mails.to("owner@example.org").len(), 1);
}

#[tokio::test]
async fn a_release_that_somebody_took_away_is_made_again() {
    let world = World::new().await;
    let (id, operation) = world.provision("emptied").await;
    world.until(operation, &["done"]).await;
    let tenant = world.until_tenant(id, TenantState::Active).await;
    let agreed = provisioning::reconcile_cluster(&world.app, true).await.unwrap();
    assert_eq!(agreed.missing, vec![]);

    world.kubectl(&[
        "delete",
        "deployment",
        "--all",
        "--namespace",
        &tenant.namespace,
        "--wait=true",
    ]);
    let found = provisioning::reconcile_cluster(&world.app, false).await.unwrap();
    assert_eq!(found.missing, vec![id]);
    let again = world.tenant(id).await.operations.first().unwrap().id;
    assert_ne!(again, operation);
    assert_eq!(world.until(again, &["done", "undone", "stuck"]).await.state, "done");
    assert_eq!(world.answer(&tenant).await, 200);
}

/// A tenant that was named and given up, as the ledger remembers it, and the namespace that is left of it.
async fn left_over(world: &World, name: &str) -> OwnedNamespace {
    let tenant = world.name(name).await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    provisioning::discard_pending(&mut tx, tenant).await.unwrap();
    tx.commit().await.unwrap();
    OwnedNamespace {
        name: world.tenant(tenant).await.namespace,
        tenant: Some(tenant),
        operation: None,
        created_at: Some(world.now() - TimeDelta::hours(1)),
        terminating: false,
        has_workload: false,
    }
}

#[tokio::test]
async fn what_cannot_be_removed_hides_nothing_else() {
    let cluster = Arc::new(ScriptedCluster::default());
    let world = World::scripted(cluster.clone(), EngineConfig::default()).await;
    let stays = left_over(&world, "stays").await;
    let goes = left_over(&world, "goes").await;
    let unknown = OwnedNamespace {
        name: "t-unknown".to_owned(),
        tenant: None,
        ..goes.clone()
    };
    cluster.own(stays.clone(), true);
    cluster.own(goes.clone(), false);
    cluster.own(unknown, false);

    let found = provisioning::reconcile_cluster(&world.app, false).await.unwrap();
    assert_eq!(
        (found.orphans, found.unknown),
        (vec![goes.name.clone()], vec!["t-unknown".to_owned()])
    );
    assert_eq!(cluster.removed(), [goes.name]);
    let shown = provisioning::overview(&world.app).await.unwrap().unknown_namespaces;
    assert_eq!(shown, ["t-unknown"]);
    let [unmended] = found.unmended.as_slice() else {
        panic!()
    };
    assert_eq!(unmended.namespace, stays.name);
    assert!(unmended.reason.contains("somebody else"), "{}", unmended.reason);
}

#[tokio::test]
async fn what_a_deleted_tenant_left_is_removed_and_what_is_unknown_is_not() {
    let world = World::new().await;
    let deleted = world.name("left-over").await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    provisioning::discard_pending(&mut tx, deleted).await.unwrap();
    tx.commit().await.unwrap();
    let tenant = world.tenant(deleted).await;
    assert_eq!(tenant.state, TenantState::Deleted);
    let labels = |tenant: String| {
        [
            format!("tenantry.dev/installation={}", world.app.settings.installation),
            format!("tenantry.dev/tenant={tenant}"),
        ]
    };
    let unknown = format!("t-unknown-{}", uuid::Uuid::now_v7().simple());
    let made = [
        (tenant.namespace.clone(), deleted.to_string()),
        (unknown.clone(), "ten_01h2xcejqtf2nbrexx3vqjhp41".into()),
    ];
    for (namespace, id) in made {
        world.kubectl(&["create", "namespace", &namespace]);
        let [installation, tenant] = labels(id);
        world.kubectl(&["label", "namespace", &namespace, &installation, &tenant]);
    }

    // What is young may belong to somebody who is still at work.
    let young = provisioning::reconcile_cluster(&world.app, false).await.unwrap();
    assert_eq!(young.orphans, Vec::<String>::new());
    world.clock.advance(TimeDelta::minutes(10));
    let dry = provisioning::reconcile_cluster(&world.app, true).await.unwrap();
    assert_eq!(
        (dry.orphans.as_slice(), dry.unknown.as_slice()),
        ([tenant.namespace.clone()].as_slice(), [unknown.clone()].as_slice())
    );
    assert!(world.namespace_exists(&tenant));
    provisioning::reconcile_cluster(&world.app, false).await.unwrap();
    wait_for("the left-over to go", Duration::from_secs(30), async || {
        (!world.namespace_exists(&tenant)).then_some(())
    })
    .await;
    assert!(world.try_kubectl(&["get", "namespace", &unknown]).status.success());
}
