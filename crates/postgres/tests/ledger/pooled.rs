//! Many customers at once over few shared connections, behind a pooler that hands them on after every transaction.

use std::{env, sync::Arc};

use sqlx::AssertSqlSafe;
use tenantry_postgres::{
    Database,
    isolation::{Class, TABLES},
};
use tenantry_test_support::{Pgbouncer, TestDatabase};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    probe::breaches,
    world::{Owner, World, owner_of, populate},
};

const WORLDS: usize = 8;
const CUSTOMERS_AT_ONCE: usize = 16;
const STATEMENTS_PER_TRANSACTION: usize = 4;

async fn behind_pooler(test: &TestDatabase, pooler: &Pgbouncer) -> Database {
    test.database_with(|config| {
        config.direct_url = Some(config.system_url.clone());
        config.app_url = pooler.app_url.clone().into();
        config.system_url = pooler.system_url.clone().into();
        config.pools.app = 12;
    })
    .await
}

#[tokio::test]
async fn a_scope_sees_and_changes_nothing_of_another_through_a_pooler() {
    let test = TestDatabase::create().await;
    let worlds = populate(&test, 2).await;
    let pooler = Pgbouncer::start(&test, 2).await;
    let database = behind_pooler(&test, &pooler).await;
    database.refuse_open_doors().await.unwrap();
    assert_eq!(breaches(&database, &test, worlds[0], worlds[1]).await, []);
}

/// `TENANTRY_TEST_ISOLATION_QUERIES` makes it a longer run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleaved_customers_on_shared_connections_see_their_own_rows() {
    let queries: usize = env::var("TENANTRY_TEST_ISOLATION_QUERIES")
        .ok()
        .map_or(10_000, |text| text.parse().expect("a number of queries"));
    let test = TestDatabase::create().await;
    let worlds: Arc<[World]> = populate(&test, WORLDS).await.into();
    // Fewer connections than clients, so that each is handed from customer to customer.
    let pooler = Pgbouncer::start(&test, 3).await;
    let database = behind_pooler(&test, &pooler).await;

    let transactions = queries / STATEMENTS_PER_TRANSACTION / CUSTOMERS_AT_ONCE;
    let mut customers = JoinSet::new();
    for customer in 0..CUSTOMERS_AT_ONCE {
        let (database, worlds) = (database.clone(), worlds.clone());
        customers.spawn(async move {
            let mut foreign = 0;
            for turn in 0..transactions {
                let world = worlds[(customer + turn) % WORLDS];
                foreign += if turn % 3 == 0 {
                    as_user(&database, world, turn).await
                } else {
                    as_organization(&database, world, turn).await
                };
            }
            foreign
        });
    }
    let foreign: u64 = customers.join_all().await.into_iter().sum();
    assert_eq!(foreign, 0, "foreign rows in {queries} queries");
}

/// The tables that a scope of this kind sees, from another start in each turn.
fn tables(turn: usize, classes: [Class; 2]) -> impl Iterator<Item = (&'static str, Owner)> {
    let seen: Vec<_> = TABLES
        .iter()
        .filter(|(_, class)| classes.contains(class))
        .filter_map(|(table, class)| Some((*table, owner_of(table, *class)?)))
        .collect();
    let count = seen.len();
    (0..STATEMENTS_PER_TRANSACTION).map(move |step| seen[(turn * STATEMENTS_PER_TRANSACTION + step) % count])
}

async fn as_organization(database: &Database, world: World, turn: usize) -> u64 {
    let mut tx = database.organization(world.organization).await.unwrap();
    let mut foreign = 0;
    for (table, owner) in tables(turn, [Class::Organization, Class::OrganizationUser]) {
        let seen: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(select(table, owner)))
            .bind(turn as i64)
            .fetch_all(&mut tx)
            .await
            .unwrap();
        foreign += strangers(&seen, owner.of(world));
    }
    tx.commit().await.unwrap();
    foreign
}

async fn as_user(database: &Database, world: World, turn: usize) -> u64 {
    let mut tx = database.user(world.user).await.unwrap();
    let mut foreign = 0;
    for (table, owner) in tables(turn, [Class::User, Class::OrganizationUser]) {
        let seen: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(select(table, owner)))
            .bind(turn as i64)
            .fetch_all(&mut tx)
            .await
            .unwrap();
        foreign += strangers(&seen, owner.of(world));
    }
    tx.commit().await.unwrap();
    foreign
}

/// Has a parameter, so that it is parsed, described, bound and executed as any statement of the server.
fn select(table: &str, owner: Owner) -> String {
    format!("select {} from {table} where $1::int8 >= 0", owner.column())
}

/// Rows of others, and one when the own row is not there.
fn strangers(seen: &[Uuid], own: Uuid) -> u64 {
    let foreign = seen.iter().filter(|found| **found != own).count() as u64;
    foreign + u64::from(!seen.contains(&own))
}
