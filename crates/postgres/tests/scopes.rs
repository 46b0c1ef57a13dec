//! Transactions: what they keep, what they undo, and how they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use sqlx::Executor;
use tenantry_domain::ids::{OrganizationId, UserId};
use tenantry_postgres::{ConflictKind, DatabaseError};
use tenantry_test_support::{Pgbouncer, TestDatabase};
use uuid::Uuid;

async fn settings<'c>(executor: impl Executor<'c, Database = sqlx::Postgres>) -> (String, String) {
    sqlx::query_as(
        "select coalesce(current_setting('app.organization_id', true), ''),
                coalesce(current_setting('app.user_id', true), '')",
    )
    .fetch_one(executor)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_scope_is_set_for_its_transaction_only() {
    let test = TestDatabase::create().await;
    let database = test.database_with(|config| config.pools.app = 1).await;
    let id = Uuid::now_v7();

    let mut tx = database.organization(OrganizationId::from_uuid(id)).await.unwrap();
    assert_eq!(settings(&mut tx).await, (id.to_string(), String::new()));
    tx.commit().await.unwrap();

    // The same connection, since there is one.
    let mut tx = database.user(UserId::from_uuid(id)).await.unwrap();
    assert_eq!(settings(&mut tx).await, (String::new(), id.to_string()));
}

#[tokio::test]
async fn whoever_leaves_while_a_transaction_begins_leaves_none_open() {
    let test = TestDatabase::create().await;
    let database = test.database_with(|config| config.pools.app = 1).await;
    let id = Uuid::now_v7();
    for looks in 0..8 {
        let mut begins = Box::pin(database.read_organization(OrganizationId::from_uuid(id)));
        for _ in 0..looks {
            if futures::poll!(&mut begins).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(begins);
        // On the same connection, since there is one: inside of what only reads, this would be refused.
        let mut tx = database.user(UserId::from_uuid(id)).await.unwrap();
        assert_eq!(settings(&mut tx).await, (String::new(), id.to_string()), "{looks}");
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_not_committed_is_undone() {
    let test = TestDatabase::create().await;
    let database = test.database().await;
    let mut tx = database.system("a test").await.unwrap();
    sqlx::query("insert into clusters (id, name) values ($1, 'lost')")
        .bind(Uuid::now_v7())
        .execute(&mut tx)
        .await
        .unwrap();
    drop(tx);
    let mut tx = database.read_system("a test").await.unwrap();
    let clusters: i64 = sqlx::query_scalar("select count(*) from clusters")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(clusters, 0);
}

#[tokio::test]
async fn a_read_only_transaction_cannot_write() {
    let test = TestDatabase::create().await;
    let database = test.database().await;
    let mut tx = database.read_system("a test").await.unwrap();
    let refused = sqlx::query("insert into clusters (id, name) values (gen_random_uuid(), 'never')")
        .execute(&mut tx)
        .await;
    assert!(refused.unwrap_err().to_string().contains("read-only"));
}

#[tokio::test]
async fn a_conflict_names_its_constraint() {
    let test = TestDatabase::create().await;
    let database = test.database().await;
    let mut tx = database.system("a test").await.unwrap();
    let mut refused = None;
    for _ in 0..2 {
        refused = sqlx::query("insert into clusters (id, name) values (gen_random_uuid(), 'twice')")
            .execute(&mut tx)
            .await
            .err();
    }
    let error = DatabaseError::from(refused.unwrap());
    assert!(error.is_conflict_on("clusters_name_key"), "{error}");
    assert!(matches!(
        error,
        DatabaseError::Conflict {
            kind: ConflictKind::Unique,
            ..
        }
    ));
}

#[tokio::test]
async fn no_free_connection_is_a_timeout() {
    let test = TestDatabase::create().await;
    let database = test
        .database_with(|config| {
            config.pools.app = 1;
            // Long enough to connect on a machine that is busy with other tests.
            config.acquire_timeout = Duration::from_secs(3);
        })
        .await;
    let id = OrganizationId::from_uuid(Uuid::now_v7());
    let _held = database.organization(id).await.unwrap();
    let refused = database.organization(id).await.unwrap_err();
    assert!(matches!(refused, DatabaseError::Timeout(_)), "{refused}");
}

#[tokio::test]
async fn connections_that_the_server_closed_are_replaced() {
    let test = TestDatabase::create().await;
    let database = test.database().await;
    let id = OrganizationId::from_uuid(Uuid::now_v7());
    let both = tokio::join!(database.organization(id), database.organization(id));
    both.0.unwrap().commit().await.unwrap();
    both.1.unwrap().commit().await.unwrap();
    end_connections(&test, "tenantry app").await;
    let tx = database.organization(id).await.unwrap();
    tx.commit().await.unwrap();
}

async fn end_connections(test: &TestDatabase, application: &str) {
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = $2")
        .bind(&test.name)
        .bind(application)
        .execute(&mut test.superuser().await)
        .await
        .unwrap();
}

/// A statement with a name would stay behind on the pooler's connection: the next client's would collide with it.
#[tokio::test]
async fn no_statement_leaves_a_name_behind() {
    let test = TestDatabase::create().await;
    let pooler = Pgbouncer::start(&test, 1).await;
    let database = test
        .database_with(|config| {
            config.direct_url = Some(config.system_url.clone());
            config.app_url = pooler.app_url.clone().into();
            config.system_url = pooler.system_url.clone().into();
        })
        .await;
    for _ in 0..3 {
        let mut tx = database.system("a test").await.unwrap();
        let named: i64 = sqlx::query_scalar("select count(*) from pg_prepared_statements where $1")
            .bind(true)
            .fetch_one(&mut tx)
            .await
            .unwrap();
        assert_eq!(named, 0);
        // Asked for by the author, and still unnamed.
        let kept: Option<i32> = sqlx::query_scalar("select 1 where $1")
            .bind(true)
            .persistent(true)
            .fetch_optional(&mut tx)
            .await
            .unwrap();
        assert_eq!(kept, Some(1));
        tx.commit().await.unwrap();
    }
    let mut tx = database.system("a test").await.unwrap();
    assert!(
        (&mut tx)
            .prepare(sqlx::SqlSafeStr::into_sql_str("select 1"))
            .await
            .is_err()
    );
}
