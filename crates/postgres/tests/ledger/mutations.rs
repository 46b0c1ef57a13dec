//! Opens each policy, and each table, one after the other: the probes have to notice every one, or they prove nothing.

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tenantry_postgres::{Database, isolation};
use tenantry_test_support::TestDatabase;

use super::{
    probe::{breaches, breaches_of},
    world::{World, grant_every_verb, populate},
};

/// One way to break the isolation of a table, and how to mend it again.
struct Mutation {
    table: String,
    name: String,
    open: String,
    close: String,
}

#[tokio::test]
async fn opening_any_policy_is_noticed() {
    let test = TestDatabase::create().await;
    let worlds = populate(&test, 2).await;
    let database = test.database().await;
    grant_every_verb(&test).await;
    let mut owner = test.owner().await;
    let mutations = mutations(&mut owner).await;
    assert!(mutations.len() > 40, "only {} mutations", mutations.len());

    let mut unnoticed = Vec::new();
    for mutation in &mutations {
        execute(&mut owner, &mutation.open).await;
        if !is_noticed(&database, &test, mutation, worlds[0], worlds[1]).await {
            unnoticed.push(mutation.name.as_str());
        }
        execute(&mut owner, &mutation.close).await;
    }
    assert_eq!(unnoticed, [] as [&str; 0], "of {} mutations", mutations.len());
    assert_eq!(
        breaches(&database, &test, worlds[0], worlds[1]).await,
        [],
        "everything is mended again"
    );
}

async fn is_noticed(database: &Database, test: &TestDatabase, mutation: &Mutation, own: World, other: World) -> bool {
    let class = isolation::class_of(&mutation.table).unwrap();
    !breaches_of(database, test, &mutation.table, class, own, other)
        .await
        .is_empty()
}

/// Every condition of every policy that binds the application, replaced by `true`; and row-level security off on every
/// table that it has rights to.
async fn mutations(owner: &mut PgConnection) -> Vec<Mutation> {
    let conditions: Vec<(String, String, String, String)> = sqlx::query_as(
        "select p.polrelid::regclass::text, p.polname::text, condition.kind, condition.expression
         from pg_policy p
         cross join lateral (values ('using', pg_get_expr(p.polqual, p.polrelid)),
                                    ('with check', pg_get_expr(p.polwithcheck, p.polrelid)))
              condition (kind, expression)
         where p.polroles && array[0::oid, 'tenantry_app'::regrole::oid] and condition.expression is not null
         order by 1, 2, 3",
    )
    .fetch_all(&mut *owner)
    .await
    .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
           and has_table_privilege('tenantry_app', c.oid, 'select')
         order by 1",
    )
    .fetch_all(owner)
    .await
    .unwrap();
    let opened = conditions
        .into_iter()
        .map(|(table, policy, kind, expression)| Mutation {
            name: format!("{policy} on {table}, {kind}"),
            open: format!("alter policy {policy} on {table} {kind} (true)"),
            close: format!("alter policy {policy} on {table} {kind} ({expression})"),
            table,
        });
    let switched_off = tables.into_iter().map(|table| Mutation {
        name: format!("row-level security of {table}"),
        open: format!("alter table {table} disable row level security"),
        close: format!("alter table {table} enable row level security"),
        table,
    });
    opened.chain(switched_off).collect()
}

async fn execute(owner: &mut PgConnection, statement: &str) {
    owner
        .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
