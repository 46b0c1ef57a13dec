//! The ledger keeps customers apart and its own rules. A scope sees and changes its own rows and nobody else's: every
//! table, every verb, directly and through a pooler; and the test notices when any one policy is opened.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod invariants;
mod look_ups;
mod mutations;
mod pooled;
mod probe;
mod world;

use probe::breaches;
use tenantry_postgres::isolation::{Class, class_of, may};
use tenantry_test_support::TestDatabase;
use world::{assert_every_table_has_rows, grant_every_verb, populate};

#[tokio::test]
async fn a_scope_sees_and_changes_nothing_of_another() {
    let test = TestDatabase::create().await;
    let worlds = populate(&test, 2).await;
    assert_every_table_has_rows(&test, &worlds).await;
    let database = test.database().await;
    assert_eq!(breaches(&database, &test, worlds[0], worlds[1]).await, []);
    assert_eq!(breaches(&database, &test, worlds[1], worlds[0]).await, []);
    // Policies hold by themselves, whatever is granted.
    grant_every_verb(&test).await;
    assert_eq!(breaches(&database, &test, worlds[0], worlds[1]).await, []);
}

#[tokio::test]
async fn the_application_has_the_rights_on_its_list_and_no_others() {
    let test = TestDatabase::create().await;
    let found: Vec<(String, String)> = sqlx::query_as(
        "select c.relname::text, command from pg_class c
         cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) command
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
           and has_table_privilege('tenantry_app', c.oid, command) order by 1, 2",
    )
    .fetch_all(&mut test.superuser().await)
    .await
    .unwrap();
    for (table, _) in tenantry_postgres::isolation::TABLES {
        for command in ["select", "insert", "update", "delete", "truncate"] {
            let has = found.contains(&((*table).to_owned(), command.to_owned()));
            assert_eq!(has, may(table, command), "{command} on {table}");
        }
    }
}

#[tokio::test]
async fn the_list_of_classes_is_the_schema() {
    let test = TestDatabase::create().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1",
    )
    .fetch_all(&mut test.superuser().await)
    .await
    .unwrap();
    let listed: Vec<&str> = tenantry_postgres::isolation::TABLES
        .iter()
        .map(|(table, _)| *table)
        .collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    let mut tables = tables;
    tables.sort_unstable();
    assert_eq!(tables, sorted);
}

/// Foreign keys are checked past the policies. One that named a row by its id alone would tell an organization which ids
/// others have, and could tie a row to another organization's.
#[tokio::test]
async fn foreign_keys_between_customers_tables_carry_the_organization() {
    let test = TestDatabase::create().await;
    let keys: Vec<(String, String, String, bool)> = sqlx::query_as(
        "select k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text,
                exists (select from unnest(k.conkey, k.confkey) as pair (own, other)
                        join pg_attribute o on o.attrelid = k.conrelid and o.attnum = pair.own
                        join pg_attribute f on f.attrelid = k.confrelid and f.attnum = pair.other
                        where o.attname = 'organization_id' and f.attname = 'organization_id')
         from pg_constraint k where k.contype = 'f'",
    )
    .fetch_all(&mut test.superuser().await)
    .await
    .unwrap();
    let is_customers = |table: &str| {
        matches!(class_of(table), Some(Class::Organization | Class::OrganizationUser))
            // The two that a customer's rows begin with.
            && !["organizations", "users"].contains(&table)
    };
    let without: Vec<&String> = keys
        .iter()
        .filter(|(_, from, to, _)| is_customers(from) && is_customers(to))
        .filter(|(_, _, _, carries)| !carries)
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(without, [] as [&str; 0]);
    assert!(keys.len() > 20, "only {} foreign keys were found", keys.len());
}
