//! What is said while a tenant is waited for, and for how long it is.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tenantry_app::provisioning::{Failure, OperationView};
use tenantry_domain::ids::OperationId;
use tenantry_operations::EngineConfig;
use tenantry_test_support::wait_for;

use crate::{scripted::ScriptedCluster, world::World};

const SAID: &str = "registry.internal.example.net/collection: 10.0.0.7 refused the password";

async fn start() -> (World, Arc<ScriptedCluster>) {
    let cluster = Arc::new(ScriptedCluster::default());
    let world = World::scripted(cluster.clone(), EngineConfig::default()).await;
    (world, cluster)
}

/// What the operation waits for, once it waits for this.
async fn waits_for(world: &World, operation: OperationId, code: &str) -> Failure {
    wait_for(code, Duration::from_secs(30), async || {
        let steps = world.operation(operation).await.steps;
        steps
            .into_iter()
            .find_map(|step| step.waiting_for.filter(|obstacle| obstacle.code == code))
    })
    .await
}

/// Time passes for the ledger and for us.
async fn pass(world: &World, operation: OperationId, secs: i32) {
    world.clock.advance(TimeDelta::seconds(secs.into()));
    world.age_log(operation, secs).await;
}

/// Whatever the worker has to say after it has looked once more has been said.
async fn after_another_look(world: &World, cluster: &ScriptedCluster, operation: OperationId) -> OperationView {
    let asked = cluster.asked();
    wait_for("another look", Duration::from_secs(30), async || {
        (cluster.asked() > asked + 2).then_some(())
    })
    .await;
    world.operation(operation).await
}

#[tokio::test]
async fn a_stubborn_obstacle_is_borne_from_when_it_appeared() {
    let (world, cluster) = start().await;
    cluster.obstruct("waiting_for_capacity", "no node has room", false);
    let (_, operation) = world.provision("hiccup").await;
    waits_for(&world, operation, "waiting_for_capacity").await;
    pass(&world, operation, 300).await;

    // A node has come, and the registry hiccups once.
    cluster.obstruct("image_cannot_be_pulled", SAID, true);
    waits_for(&world, operation, "image_cannot_be_pulled").await;
    assert_eq!(after_another_look(&world, &cluster, operation).await.state, "waiting");
    cluster.clear();
    assert_eq!(world.until(operation, &["done", "undone", "stuck"]).await.state, "done");
}

#[tokio::test]
async fn a_stubborn_obstacle_that_stays_is_given_up_on() {
    let (world, cluster) = start().await;
    cluster.obstruct("container_crashes", "container product ends by itself", true);
    let (_, operation) = world.provision("crashing").await;
    waits_for(&world, operation, "container_crashes").await;
    pass(&world, operation, 30).await;
    // Between two crashes it starts.
    cluster.obstruct("starting", "1 pod is starting", false);
    waits_for(&world, operation, "starting").await;
    pass(&world, operation, 20).await;
    cluster.obstruct("container_crashes", "container product ends by itself", true);
    let undone = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(
        (undone.state.as_str(), undone.failure.unwrap().code.as_ref()),
        ("undone", "container_crashes")
    );
}

#[tokio::test]
async fn what_the_cluster_says_is_for_operators_only() {
    let (world, cluster) = start().await;
    cluster.obstruct("image_cannot_be_pulled", SAID, false);
    let (id, operation) = world.provision("tells-tales").await;
    let obstacle = waits_for(&world, operation, "image_cannot_be_pulled").await;
    assert_eq!(
        obstacle.detail,
        "the product's image, which could not be fetched so far"
    );
    assert_eq!(obstacle.technical.as_deref(), Some(SAID));

    pass(&world, operation, 21 * 60).await;
    let undone = world.until(operation, &["done", "undone", "stuck"]).await;
    let failure = undone.failure.unwrap();
    assert_eq!(failure.code, "not_ready_in_time");
    assert_eq!(
        failure.detail,
        "Waited too long for the product's image, which could not be fetched so far."
    );
    assert!(failure.technical.unwrap().contains(SAID));
    let reason = world.tenant(id).await.state_reason.unwrap();
    assert!(!reason.detail.contains("registry"), "{}", reason.detail);
}
