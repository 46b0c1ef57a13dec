//! Every way around the isolation of customers, opened in a database and found.
//!
//! Each is opened in a transaction that is rolled back, since roles belong to the whole server and other tests need
//! theirs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use sqlx::{Connection, Executor, PgConnection};
use tenantry_postgres::{
    DatabaseConfig,
    guard::{OpenDoor, Refusal, open_doors},
    migrate::migrate,
};
use tenantry_test_support::TestDatabase;

/// What is found after `opening` was run as superuser.
async fn found_after(opening: &str) -> Vec<OpenDoor> {
    let test = TestDatabase::create().await;
    let mut superuser = test.superuser().await;
    let mut transaction = superuser.begin().await.unwrap();
    transaction
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(opening)))
        .await
        .unwrap_or_else(|error| panic!("{opening}: {error}"));
    let found = open_doors(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(open_doors(&mut superuser).await.unwrap(), [], "closed again");
    found
}

macro_rules! doors {
    ($($name:ident: $opening:expr => [$($door:expr),+ $(,)?];)+) => {$(
        #[tokio::test]
        async fn $name() {
            assert_eq!(found_after($opening).await, [$($door),+]);
        }
    )+};
}

fn text(text: &str) -> String {
    text.to_owned()
}

doors! {
    a_table_without_class: "create table notes (id int); alter table notes owner to tenantry_owner" => [
        OpenDoor::UnclassifiedTable { table: text("notes") },
    ];
    a_table_without_class_in_another_schema:
        "create schema elsewhere; create table elsewhere.notes (id int)" => [
        OpenDoor::UnclassifiedTable { table: text("elsewhere.notes") },
    ];
    a_class_without_table: "drop table idempotency_keys" => [
        OpenDoor::MissingTable { table: text("idempotency_keys") },
    ];
    row_security_off: "alter table tenants disable row level security" => [
        OpenDoor::RowSecurityOff { table: text("tenants") },
    ];
    row_security_not_forced: "alter table tenants no force row level security" => [
        OpenDoor::RowSecurityNotForced { table: text("tenants") },
    ];
    a_command_without_policy: "drop policy member on organizations; alter policy organization on organizations
                               to tenantry_system; create policy member on organizations for select to tenantry_app
                               using (id = nullif(current_setting('app.organization_id', true), '')::uuid
                                      and id = nullif(current_setting('app.user_id', true), '')::uuid)" => [
        OpenDoor::CommandWithoutPolicy { table: text("organizations"), role: text("tenantry_app"), command: text("update") },
    ];
    a_command_of_the_owner_without_policy: "drop policy owner on clusters; create policy owner on clusters
                                            for select to tenantry_owner using (true)" => [
        OpenDoor::CommandWithoutPolicy { table: text("clusters"), role: text("tenantry_owner"), command: text("delete") },
        OpenDoor::CommandWithoutPolicy { table: text("clusters"), role: text("tenantry_owner"), command: text("insert") },
        OpenDoor::CommandWithoutPolicy { table: text("clusters"), role: text("tenantry_owner"), command: text("update") },
    ];
    a_right_to_one_column_without_policy: "grant select (id) on clusters to tenantry_app" => [
        OpenDoor::CommandWithoutPolicy { table: text("clusters"), role: text("tenantry_app"), command: text("select") },
        OpenDoor::ExtraRight { table: text("clusters"), command: text("select") },
    ];
    a_right_that_no_statement_needs: "grant delete on tenants to tenantry_app" => [
        OpenDoor::ExtraRight { table: text("tenants"), command: text("delete") },
    ];
    a_right_to_write_one_column: "grant update (state) on checkouts to tenantry_app" => [
        OpenDoor::ExtraRight { table: text("checkouts"), command: text("update") },
    ];
    a_right_of_everybody: "grant truncate on audit_events to public" => [
        OpenDoor::ExtraRight { table: text("audit_events"), command: text("truncate") },
    ];
    a_policy_without_scope: "create policy open on tenants for select to tenantry_app using (true)" => [
        OpenDoor::UnscopedPolicy { table: text("tenants"), policy: text("open") },
    ];
    a_policy_without_scope_for_everybody: "create policy open on tenants for select using (state = 'active')" => [
        OpenDoor::UnscopedPolicy { table: text("tenants"), policy: text("open") },
    ];
    a_policy_that_reads_in_scope_and_writes_anywhere: "alter policy organization on tenants with check (true)" => [
        OpenDoor::UnscopedPolicy { table: text("tenants"), policy: text("organization") },
    ];
    a_policy_with_a_way_out: "alter policy organization on tenants using
            (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid or true)" => [
        OpenDoor::UnscopedPolicy { table: text("tenants"), policy: text("organization") },
    ];
    a_system_policy_for_the_application: "alter policy system on jobs to tenantry_system, tenantry_app" => [
        OpenDoor::UnscopedPolicy { table: text("jobs"), policy: text("system") },
    ];
    policies_of_another_class: "create policy mine on tenants for select to tenantry_app
                                using (organization_id::text = current_setting('app.user_id', true))" => [
        OpenDoor::OtherClass { table: text("tenants"), class: "organization", found: "organization_user" },
    ];
    a_view_with_its_owners_rights: "create view everything as select * from tenants" => [
        OpenDoor::ViewWithOwnersRights { view: text("everything") },
    ];
    a_view_that_says_no: "create view everything with (security_invoker = false) as select * from tenants" => [
        OpenDoor::ViewWithOwnersRights { view: text("everything") },
    ];
    a_materialized_view: "create materialized view copied as select * from tenants" => [
        OpenDoor::MaterializedView { view: text("copied") },
    ];
    a_function_with_its_owners_rights: "create function all_tenants() returns setof tenants
            language sql security definer as 'select * from tenants'" => [
        OpenDoor::SecurityDefinerFunction { function: text("all_tenants()") },
    ];
    a_rule_that_copies_rows: "create rule copied as on insert to tenants do also
            insert into jobs (id, kind, payload) values (new.id, 'copied', '{}')" => [
        OpenDoor::RewriteRule { table: text("tenants"), rule: text("copied") },
    ];
    a_partition_without_policy: "drop table idempotency_keys;
            create table idempotency_keys (expires_at timestamptz) partition by range (expires_at);
            call isolate('idempotency_keys', 'system');
            create table idempotency_keys_2026 partition of idempotency_keys
                for values from ('2026-01-01') to ('2027-01-01')" => [
        OpenDoor::PartitionWithoutPolicy { partition: text("idempotency_keys_2026"), table: text("idempotency_keys") },
    ];
    an_application_role_that_is_superuser: "alter role tenantry_app superuser" => [
        OpenDoor::PowerfulRole { role: text("tenantry_app"), attribute: "SUPERUSER" },
    ];
    a_system_role_that_is_superuser: "alter role tenantry_system superuser" => [
        OpenDoor::PowerfulRole { role: text("tenantry_system"), attribute: "SUPERUSER" },
    ];
    a_role_that_bypasses_policies: "alter role tenantry_app bypassrls" => [
        OpenDoor::PowerfulRole { role: text("tenantry_app"), attribute: "BYPASSRLS" },
    ];
    a_role_that_creates_roles: "alter role tenantry_system createrole" => [
        OpenDoor::PowerfulRole { role: text("tenantry_system"), attribute: "CREATEROLE" },
    ];
    a_role_that_replicates: "alter role tenantry_app replication" => [
        OpenDoor::PowerfulRole { role: text("tenantry_app"), attribute: "REPLICATION" },
    ];
    a_role_that_owns_a_schema: "create schema mine authorization tenantry_app" => [
        OpenDoor::OwningRole { role: text("tenantry_app"), object: text("schema mine") },
    ];
    a_role_that_owns_a_table: "alter table domains owner to tenantry_app" => [
        OpenDoor::UnscopedPolicy { table: text("domains"), policy: text("owner") },
        OpenDoor::OwningRole { role: text("tenantry_app"), object: text("table domains") },
    ];
    // From PostgreSQL 16 on, who creates a role is made its member: a circle otherwise.
    a_role_that_is_a_member_of_the_owner: "revoke tenantry_app, tenantry_system from tenantry_owner;
                                           grant tenantry_owner to tenantry_app" => [
        OpenDoor::Membership { role: text("tenantry_app"), of: text("tenantry_owner") },
    ];
    a_role_that_is_a_member_of_the_other: "grant tenantry_system to tenantry_app" => [
        OpenDoor::Membership { role: text("tenantry_app"), of: text("tenantry_system") },
    ];
    a_role_that_is_a_member_through_another: "revoke tenantry_app, tenantry_system from tenantry_owner;
                                              create role between; grant tenantry_owner to between;
                                              grant between to tenantry_system" => [
        OpenDoor::Membership { role: text("tenantry_system"), of: text("tenantry_owner") },
    ];
    a_role_that_is_a_member_of_a_superuser: "grant postgres to tenantry_app" => [
        OpenDoor::Membership { role: text("tenantry_app"), of: text("postgres") },
    ];
}

#[tokio::test]
async fn a_view_that_reads_with_the_readers_rights_is_no_door() {
    assert_eq!(
        found_after("create view everything with (security_invoker = true) as select * from tenants").await,
        []
    );
}

#[tokio::test]
async fn a_migrated_database_is_accepted() {
    let database = TestDatabase::create().await.database().await;
    database.refuse_open_doors().await.unwrap();
}

#[tokio::test]
async fn an_open_door_is_a_refusal_that_says_how_to_mend_it() {
    let test = TestDatabase::create().await;
    let database = test.database().await;
    test.owner()
        .await
        .execute("alter table tenants no force row level security")
        .await
        .unwrap();
    let refusal = database.refuse_open_doors().await.unwrap_err();
    assert!(matches!(&refusal, Refusal::OpenDoors(doors) if doors.0.len() == 1));
    assert!(
        refusal
            .to_string()
            .contains("ALTER TABLE tenants FORCE ROW LEVEL SECURITY"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_server_logged_in_as_the_owner_is_refused() {
    let test = TestDatabase::create().await;
    let owner = DatabaseConfig::new(test.owner_url.clone().into(), test.system_url.clone().into());
    let database = tenantry_postgres::Database::connect(&owner).await.unwrap();
    assert_eq!(
        database.open_doors().await.unwrap(),
        [OpenDoor::OtherLogin {
            pool: "application",
            expected: "tenantry_app",
            found: text("tenantry_owner"),
        }]
    );
}

#[tokio::test]
async fn a_server_with_its_two_logins_exchanged_is_refused() {
    let test = TestDatabase::create().await;
    let exchanged = DatabaseConfig::new(test.system_url.clone().into(), test.app_url.clone().into());
    let database = tenantry_postgres::Database::connect(&exchanged).await.unwrap();
    let pools: Vec<&str> = database
        .open_doors()
        .await
        .unwrap()
        .iter()
        .filter_map(|door| match door {
            OpenDoor::OtherLogin { pool, .. } => Some(*pool),
            _ => None,
        })
        .collect();
    assert_eq!(pools, ["application", "system", "direct"]);
}

#[tokio::test]
async fn a_database_without_migrations_is_refused() {
    let test = TestDatabase::create_empty().await;
    let mut superuser = test.superuser().await;
    let pending = pending(&mut superuser).await;
    assert!(pending.contains(&1) && pending.contains(&6), "{pending:?}");
    migrate(&test.migrate_config()).await.unwrap();
    assert!(self::pending(&mut superuser).await.is_empty());
}

async fn pending(connection: &mut PgConnection) -> Vec<i64> {
    open_doors(connection)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|door| match door {
            OpenDoor::PendingMigration { version } => Some(version),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_database_of_a_newer_or_another_build_is_refused() {
    let doors = found_after(
        "insert into _sqlx_migrations values (9999, 'tomorrow', now(), true, '\\x00', 0);
         update _sqlx_migrations set checksum = '\\x00' where version = 2",
    )
    .await;
    assert_eq!(
        doors,
        [
            OpenDoor::ForeignMigration { version: 9999 },
            OpenDoor::ForeignMigration { version: 2 },
        ]
    );
}
