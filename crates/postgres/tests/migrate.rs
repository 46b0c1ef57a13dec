//! Migrations and the roles that they make, from nothing, twice, at once, and without the rights they would like.
//!
//! Roles belong to the whole server, so these tests take turns.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_postgres::{
    guard::open_doors,
    migrate::{MigrateConfig, MigrateError, migrate, status},
    roles::RoleError,
};
use tenantry_test_support::{PrivatePostgres, TestDatabase};
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// An empty database on a server that has none of the server's roles.
async fn from_nothing() -> (MutexGuard<'static, ()>, TestDatabase) {
    let turn = TURN.lock().await;
    let test = TestDatabase::create_empty().await;
    let server = PrivatePostgres::start().await;
    let mut superuser = server.superuser("postgres").await;
    let databases: Vec<String> = sqlx::query_scalar("select datname::text from pg_database where datallowconn")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    for role in ["tenantry_app", "tenantry_system"] {
        if !exists(&mut superuser, role).await {
            continue;
        }
        for database in &databases {
            let mut there = server.superuser(database).await;
            execute(&mut there, &format!("drop owned by {role} cascade")).await;
        }
        execute(&mut superuser, &format!("drop role {role}")).await;
    }
    execute(&mut superuser, "alter role tenantry_owner createrole").await;
    (turn, test)
}

async fn exists(superuser: &mut PgConnection, role: &str) -> bool {
    sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(role)
        .fetch_one(superuser)
        .await
        .unwrap()
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(statement)))
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

#[tokio::test]
async fn a_first_migration_makes_everything_and_a_second_changes_nothing() {
    let (_turn, test) = from_nothing().await;
    let report = migrate(&test.migrate_config()).await.unwrap();
    assert_eq!(report.changes[0], "created role tenantry_app");
    assert!(
        report
            .changes
            .iter()
            .any(|line| line.starts_with("applied migration 0001"))
    );

    let mut system = PgConnection::connect(&test.system_url).await.unwrap();
    assert!(status(&mut system).await.unwrap().is_current());
    assert_eq!(open_doors(&mut system).await.unwrap(), []);
    test.database().await.refuse_open_doors().await.unwrap();

    let again = migrate(&test.migrate_config()).await.unwrap();
    assert_eq!(again.changes, [] as [&str; 0]);
}

/// The log of who did what is the longest table, and everybody writes to it.
#[tokio::test]
async fn the_audit_log_is_never_written_anew() {
    let (_turn, test) = from_nothing().await;
    execute(
        &mut test.superuser().await,
        "create function no_rewrite() returns event_trigger language plpgsql as $$
         begin
             if pg_event_trigger_table_rewrite_oid() = to_regclass('public.audit_events') then
                 raise exception 'the audit log is written anew';
             end if;
         end $$;
         create event trigger no_rewrite on table_rewrite execute function no_rewrite()",
    )
    .await;
    migrate(&test.migrate_config()).await.unwrap();
}

/// Nobody waits for long behind a migration that waits for somebody.
#[tokio::test]
async fn a_migration_gives_up_on_a_table_that_is_in_use() {
    let (_turn, test) = from_nothing().await;
    migrate(&test.migrate_config()).await.unwrap();
    // As if the last one had not been applied: its first statement needs the table.
    let mut superuser = test.superuser().await;
    execute(&mut superuser, "delete from _sqlx_migrations where version = 27").await;
    let mut user = test.superuser().await;
    let mut using = user.begin().await.unwrap();
    execute(&mut using, "select from audit_events").await;
    let refusal = migrate(&test.migrate_config()).await.unwrap_err();
    assert!(matches!(refusal, MigrateError::Busy { version: 27 }), "{refusal}");
    assert!(refusal.to_string().contains("migrate again"), "{refusal}");
}

#[tokio::test]
async fn four_migrations_at_once_do_it_once() {
    let (_turn, test) = from_nothing().await;
    let config = test.migrate_config();
    let (a, b, c, d) = tokio::join!(migrate(&config), migrate(&config), migrate(&config), migrate(&config));
    let changed = [a, b, c, d]
        .into_iter()
        .map(|report| report.unwrap().changes.len())
        .filter(|changes| *changes > 0)
        .count();
    assert_eq!(changed, 1);
    let mut system = PgConnection::connect(&test.system_url).await.unwrap();
    assert_eq!(open_doors(&mut system).await.unwrap(), []);
}

#[tokio::test]
async fn what_an_administrator_changed_is_repaired() {
    let (_turn, test) = from_nothing().await;
    migrate(&test.migrate_config()).await.unwrap();
    let mut superuser = test.superuser().await;
    execute(&mut superuser, "alter role tenantry_app createrole inherit").await;
    execute(&mut superuser, "revoke usage on schema public from tenantry_system").await;
    let report = migrate(&test.migrate_config()).await.unwrap();
    assert_eq!(report.changes, ["repaired the attributes of role tenantry_app"]);
    test.database().await.refuse_open_doors().await.unwrap();
}

#[tokio::test]
async fn an_owner_who_may_not_create_roles_is_told_what_to_ask_for() {
    let (_turn, test) = from_nothing().await;
    let mut superuser = test.superuser().await;
    execute(&mut superuser, "alter role tenantry_owner nocreaterole").await;

    let refused = migrate(&test.migrate_config()).await.unwrap_err();
    assert!(matches!(
        &refused,
        MigrateError::Role(RoleError::MayNotCreate {
            role: "tenantry_app",
            ..
        })
    ));
    assert!(
        refused.to_string().contains("CREATE ROLE tenantry_app LOGIN NOINHERIT"),
        "{refused}"
    );

    // The administrator does as told, and the owner needs no more than that.
    for role in ["tenantry_app", "tenantry_system"] {
        execute(&mut superuser, &format!("create role {role} login noinherit")).await;
    }
    migrate(&test.migrate_config()).await.unwrap();
    test.database().await.refuse_open_doors().await.unwrap();
    execute(&mut superuser, "alter role tenantry_owner createrole").await;
}

#[tokio::test]
async fn a_role_that_policies_do_not_bind_is_refused() {
    let (_turn, test) = from_nothing().await;
    let mut superuser = test.superuser().await;
    execute(&mut superuser, "create role tenantry_app login noinherit bypassrls").await;
    let refused = migrate(&test.migrate_config()).await.unwrap_err();
    assert!(matches!(
        &refused,
        MigrateError::Role(RoleError::TooPowerful {
            role: "tenantry_app",
            ..
        })
    ));
    assert!(
        refused.to_string().contains("ALTER ROLE tenantry_app NOBYPASSRLS"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_url_of_another_role_is_refused() {
    let (_turn, test) = from_nothing().await;
    let config = MigrateConfig {
        app_url: test.owner_url.clone().into(),
        ..test.migrate_config()
    };
    let refused = migrate(&config).await.unwrap_err();
    assert!(matches!(
        refused,
        MigrateError::Role(RoleError::OtherRole { role: "tenantry_app", found }) if found == "tenantry_owner"
    ));
}

/// In this database the server asks for passwords, and logs every statement.
#[tokio::test]
async fn passwords_are_set_and_never_sent() {
    const SECRET: &str = "correct-horse%20'battery";
    const CHANGED: &str = "staple";
    let (_turn, test) = from_nothing().await;
    let server = test.server();
    let mut superuser = server.superuser("postgres").await;
    execute(&mut superuser, "create database needs_password owner tenantry_owner").await;
    execute(&mut superuser, "alter role tenantry_owner password 'owner'").await;
    execute(&mut superuser, "alter system set log_statement = 'all'").await;
    execute(&mut superuser, "select pg_reload_conf()").await;
    let url = |role: &str, password: &str| {
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/needs_password",
            server.port()
        )
    };
    let config = |app: &str| MigrateConfig {
        owner_url: url("tenantry_owner", "owner").into(),
        app_url: url("tenantry_app", app).into(),
        system_url: url("tenantry_system", "system").into(),
    };
    migrate(&config(SECRET)).await.unwrap();
    PgConnection::connect(&url("tenantry_app", SECRET)).await.unwrap();
    assert!(PgConnection::connect(&url("tenantry_app", "wrong")).await.is_err());

    let report = migrate(&config(CHANGED)).await.unwrap();
    assert_eq!(report.changes, ["set the password of role tenantry_app"]);
    PgConnection::connect(&url("tenantry_app", CHANGED)).await.unwrap();

    let log = std::fs::read_to_string(server.socket_folder().join("log")).unwrap();
    assert!(
        log.contains("alter role tenantry_app password 'SCRAM-SHA-256$4096:"),
        "the log has the statements"
    );
    for secret in ["correct-horse", CHANGED] {
        assert!(!log.contains(secret), "{secret} is in the server's log");
    }
    execute(&mut superuser, "alter system reset log_statement").await;
    execute(&mut superuser, "select pg_reload_conf()").await;
    execute(&mut superuser, "drop database needs_password with (force)").await;
}

/// Being a member of the other role gives nothing by itself, since the roles do not inherit, but it can be taken.
#[tokio::test]
async fn a_member_of_the_system_role_is_found_and_would_see_others() {
    let (_turn, test) = from_nothing().await;
    migrate(&test.migrate_config()).await.unwrap();
    let become_system = async || {
        let mut app = PgConnection::connect(&test.app_url).await.unwrap();
        let became = app.execute("set role tenantry_system").await.is_ok();
        let rows: Option<i64> = sqlx::query_scalar("select count(*) from installation")
            .fetch_one(&mut app)
            .await
            .ok();
        (became, rows)
    };
    assert_eq!(become_system().await, (false, None));
    let mut superuser = test.superuser().await;
    execute(&mut superuser, "grant tenantry_system to tenantry_app").await;
    assert_eq!(become_system().await, (true, Some(1)), "a foreign row is counted");
    assert_eq!(open_doors(&mut superuser).await.unwrap().len(), 1);
    execute(&mut superuser, "revoke tenantry_system from tenantry_app").await;
}
