//! A worker that was paused for so long that another has taken its operation over writes nothing to the ledger.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tenantry_app::provisioning;
use tenantry_operations::{EngineConfig, Moment, Phase, Point, Probe};
use tokio::sync::Notify;

use crate::{scripted::ScriptedCluster, world::World};

/// Holds the worker up at the start of one step, until it is released.
struct Stall {
    step: &'static str,
    reached: Notify,
    release: Notify,
}

#[async_trait]
impl Probe for Stall {
    async fn at(&self, point: Point<'_>) {
        if point.step == self.step && point.phase == Phase::Do && point.moment == Moment::Started {
            self.reached.notify_one();
            self.release.notified().await;
        }
    }
}

async fn count(world: &World, what: &'static str) -> i64 {
    let mut tx = world.app.database.read_system("a test").await.unwrap();
    sqlx::query_scalar(what).fetch_one(&mut tx).await.unwrap()
}

async fn execute(world: &World, statement: &'static str) {
    let mut tx = world.app.database.system("a test").await.unwrap();
    sqlx::query(statement).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// A worker that wakes at this step after another has taken over. It has no lease but believes so: nobody tells it, as
/// nobody tells a process that is stopped.
async fn late(step: &'static str, prepare: Option<&'static str>) -> World {
    let stall = Arc::new(Stall {
        step,
        reached: Notify::new(),
        release: Notify::new(),
    });
    let config = EngineConfig {
        lease: Duration::from_secs(3600),
        heartbeat: Duration::from_secs(3600),
        probe: Some(stall.clone()),
        ..EngineConfig::default()
    };
    let mut world = World::scripted(Arc::new(ScriptedCluster::default()), config).await;
    let (id, operation) = world.provision("late-worker").await;
    if step == "forget" {
        world.until(operation, &["done"]).await;
        provisioning::remove(&world.app, id, "late-worker", "a test", None)
            .await
            .unwrap();
    }
    stall.reached.notified().await;
    if let Some(statement) = prepare {
        execute(&world, statement).await;
    }
    execute(
        &world,
        "update operations set epoch = epoch + 1 where state not in ('done', 'undone')",
    )
    .await;
    stall.release.notify_one();
    world.stop_engine().await;
    world
}

#[tokio::test]
async fn no_secret_is_sealed_late() {
    let world = late("secrets", None).await;
    assert_eq!(
        count(&world, "select count(*) from sealed_secrets where scope = 'tenant'").await,
        0
    );
}

#[tokio::test]
async fn no_host_is_kept_late() {
    let world = late("host", Some("update domains set reserved_until = now()")).await;
    let reserved = "select count(*) from domains where reserved_until is not null";
    assert_eq!(count(&world, reserved).await, 1);
}

#[tokio::test]
async fn nobody_is_welcomed_late() {
    let world = late("welcome", None).await;
    assert_eq!(count(&world, "select count(*) from mail_causes").await, 0);
}

#[tokio::test]
async fn nothing_is_forgotten_late() {
    let world = late("forget", None).await;
    assert_eq!(count(&world, "select count(*) from domains").await, 1);
    assert_eq!(
        count(&world, "select count(*) from sealed_secrets where scope = 'tenant'").await,
        1
    );
}
