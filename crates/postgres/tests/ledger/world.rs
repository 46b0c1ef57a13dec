//! Customers to be kept apart: a row in every table, for each of several organizations.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_domain::ids::{OrganizationId, UserId};
use tenantry_postgres::isolation::{Class, TABLES};
use tenantry_test_support::TestDatabase;
use uuid::Uuid;

/// One organization with its only user.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub organization: OrganizationId,
    pub user: UserId,
}

/// Fills a database with `count` worlds and whatever is shared.
pub async fn populate(test: &TestDatabase, count: usize) -> Vec<World> {
    let mut system = PgConnection::connect(&test.system_url).await.unwrap();
    system.execute(sqlx::raw_sql(include_str!("shared.sql"))).await.unwrap();
    let mut worlds = Vec::new();
    for n in 0..count {
        worlds.push(make(&mut system, n).await);
    }
    worlds
}

async fn make(system: &mut PgConnection, n: usize) -> World {
    let organization = Uuid::now_v7();
    let user = Uuid::now_v7();
    let mut script = include_str!("world.sql").to_owned();
    for (name, value) in [
        ("{organization}", organization.to_string()),
        ("{user}", user.to_string()),
        ("{subscription}", Uuid::now_v7().to_string()),
        ("{tenant}", Uuid::now_v7().to_string()),
        ("{operation}", Uuid::now_v7().to_string()),
        ("{n}", n.to_string()),
    ] {
        script = script.replace(name, &value);
    }
    let mut transaction = system.begin().await.unwrap();
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(script))).await.unwrap();
    transaction.commit().await.unwrap();
    World {
        organization: OrganizationId::from_uuid(organization),
        user: UserId::from_uuid(user),
    }
}

/// The column that says whose a row is, in tables that an application may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Organization(&'static str),
    User(&'static str),
}

impl Owner {
    pub fn column(self) -> &'static str {
        match self {
            Self::Organization(column) | Self::User(column) => column,
        }
    }

    pub fn of(self, world: World) -> Uuid {
        match self {
            Self::Organization(_) => world.organization.uuid(),
            Self::User(_) => world.user.uuid(),
        }
    }
}

/// `None` for tables of the system.
pub fn owner_of(table: &str, class: Class) -> Option<Owner> {
    match (table, class) {
        (_, Class::System) => None,
        ("organizations", _) => Some(Owner::Organization("id")),
        ("users", _) => Some(Owner::User("id")),
        (_, Class::User) => Some(Owner::User("user_id")),
        (_, Class::Organization | Class::OrganizationUser) => Some(Owner::Organization("organization_id")),
    }
}

/// Without rows in a table, nothing that is asked about it proves anything.
pub async fn assert_every_table_has_rows(test: &TestDatabase, worlds: &[World]) {
    let mut superuser = test.superuser().await;
    for (table, class) in TABLES {
        let condition = match owner_of(table, *class) {
            None => vec!["true".to_owned()],
            Some(owner) => worlds
                .iter()
                .map(|world| format!("{} = '{}'", owner.column(), owner.of(*world)))
                .collect(),
        };
        for condition in condition {
            let statement = format!("select count(*) from {table} where {condition}");
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(statement))
                .fetch_one(&mut superuser)
                .await
                .unwrap();
            assert!(rows > 0, "tests/ledger/*.sql put no row into {table} where {condition}");
        }
    }
}

/// Gives the application every verb that a policy of its decides about, so that policies are all that is left.
pub async fn grant_every_verb(test: &TestDatabase) {
    let mut owner = test.owner().await;
    for (table, class) in TABLES {
        let verbs = match (*table, class) {
            (_, Class::System) => continue,
            ("organizations", _) => "select, insert, update",
            ("users", _) => "select, update",
            ("audit_events", _) => "select, insert",
            _ => "select, insert, update, delete",
        };
        let statement = format!("grant {verbs} on {table} to tenantry_app");
        owner.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
    }
}
