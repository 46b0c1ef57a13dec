//! Servers that did not apply a catalog themselves.

use std::time::Duration;

use tenantry_app::billing::follow_catalog;
use tenantry_test_support::wait_for;
use tokio_util::sync::CancellationToken;

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(30);

fn product_is_called(world: &World, name: &str) -> bool {
    let catalog = world.app.catalog.current();
    catalog.products.iter().any(|product| product.definition.name == name)
}

async fn wait_for_name(world: &World, name: &str) {
    wait_for("the catalog to be read again", PATIENCE, async || {
        product_is_called(world, name).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_announced_while_the_connection_was_broken_is_not_missed() {
    let world = World::new().await;
    let pool = world.app.database.direct().clone();
    // All connections but one, so that this test decides when there is a new one to listen on.
    let mut held = Vec::new();
    for _ in 1..pool.options().get_max_connections() {
        held.push(pool.acquire().await.unwrap());
    }
    let stop = CancellationToken::new();
    let following = tokio::spawn(follow_catalog(world.app.clone(), stop.clone()));
    let listens = "select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN %'";
    wait_for("somebody to listen", PATIENCE, async || {
        (world.count(listens).await == 1).then_some(())
    })
    .await;
    world
        .execute("update products set definition = jsonb_set(definition, '{name}', '\"One\"')")
        .await;
    world.execute("select pg_notify('catalog_changed', '')").await;
    wait_for_name(&world, "One").await;

    let next_in_line = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire().await.unwrap() }
    });
    wait_for("the connection to be taken away", PATIENCE, async || {
        world
            .text(
                "select pg_terminate_backend(pid)::text from pg_stat_activity \
                 where datname = current_database() and query like 'LISTEN %'",
            )
            .await;
        next_in_line.is_finished().then_some(())
    })
    .await;
    world
        .execute("update products set definition = jsonb_set(definition, '{name}', '\"Two\"')")
        .await;
    world.execute("select pg_notify('catalog_changed', '')").await;
    assert!(!product_is_called(&world, "Two"));
    drop((held, next_in_line.await.unwrap()));
    wait_for_name(&world, "Two").await;

    stop.cancel();
    following.await.unwrap();
    world.stop().await;
}
