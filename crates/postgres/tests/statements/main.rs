//! Every SQL statement in the sources: is it a literal, does it go to a connection in a way that a pooler can pass on,
//! and does PostgreSQL accept it on the migrated schema with the rights of the role that will run it?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod source;

use std::{collections::BTreeSet, path::Path};

use source::{Finding, Receiver, Statement, read};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_test_support::TestDatabase;

/// Connects, migrates and examines the catalog: here statements outside of a scope, and put together, are at home.
const CORE: [&str; 7] = [
    "postgres/src/database.rs",
    "postgres/src/guard.rs",
    "postgres/src/guard/",
    "postgres/src/migrate.rs",
    "postgres/src/roles.rs",
    "postgres/src/scope.rs",
    "postgres/src/unnamed.rs",
];

/// Takes any executor, and is given sessions that no pooler stands before: a statement with a name, which is its own
/// transaction, saves round trips and planning where it counts.
const DIRECT: [(&str, &str); 3] = [
    ("operations/src/engine/journal.rs", "write"),
    ("postgres/src/accounts/refresh_tokens.rs", "rotate"),
    ("postgres/src/billing/inbox.rs", "store"),
];

/// The only crates that may hold SQL.
const CRATES: [&str; 2] = ["postgres/", "operations/"];

fn findings() -> Vec<Finding> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    read(&crates)
}

fn is_core(file: &str) -> bool {
    CORE.iter().any(|core| file.starts_with(core))
}

#[test]
fn sql_is_where_it_belongs_and_is_written_out() {
    let mut complaints = Vec::new();
    for finding in findings() {
        let place = finding.place();
        if !CRATES.iter().any(|home| finding.file.starts_with(home)) {
            complaints.push(format!("{place}: SQL belongs into the crates postgres and operations"));
        }
        if is_core(&finding.file) {
            continue;
        }
        match &finding.statement {
            Statement::Literal(_) => {}
            Statement::Computed => complaints.push(format!("{place}: the statement is not a string literal")),
            Statement::Hidden(what) => complaints.push(format!("{place}: {what} hides statements from this test")),
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn statements_reach_the_database_in_a_scope_or_without_a_name() {
    let complaints: Vec<String> = findings()
        .into_iter()
        .filter(|finding| !is_core(&finding.file))
        .filter(|finding| match finding.receiver {
            Receiver::Application | Receiver::System | Receiver::Both => false,
            // The engine's own sessions, which no pooler stands before.
            Receiver::Pool => !finding.file.starts_with("operations/"),
            Receiver::Anything => !finding.unnamed && !DIRECT.contains(&(&finding.file, &finding.function)),
        })
        .map(|finding| {
            format!(
                "{}: takes neither OrganizationTx, UserTx nor SystemTx, and the statement is not persistent(false)",
                finding.place()
            )
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[tokio::test]
async fn postgresql_accepts_every_statement_from_the_role_that_runs_it() {
    let test = TestDatabase::create().await;
    let mut application = PgConnection::connect(&test.app_url).await.unwrap();
    let mut system = PgConnection::connect(&test.system_url).await.unwrap();
    let (mut count, mut complaints) = (0, BTreeSet::new());
    for finding in findings() {
        let Statement::Literal(sql) = &finding.statement else {
            continue;
        };
        if is_utility(sql) || finding.file.starts_with("postgres/src/migrate.rs") {
            continue;
        }
        count += 1;
        let as_application = matches!(finding.receiver, Receiver::Application | Receiver::Both);
        let as_system = !matches!(finding.receiver, Receiver::Application);
        if as_application && let Err(error) = accepts(&mut application, sql).await {
            complaints.insert(format!("{} as tenantry_app: {error}", finding.place()));
        }
        if as_system && let Err(error) = accepts(&mut system, sql).await {
            complaints.insert(format!("{} as tenantry_system: {error}", finding.place()));
        }
    }
    assert!(complaints.is_empty(), "\n{}", Vec::from_iter(complaints).join("\n"));
    assert!(count > 50, "only {count} statements were found: the scanner is blind");
}

/// Statements without a plan cannot be prepared.
fn is_utility(sql: &str) -> bool {
    let verb = sql.split_whitespace().next().unwrap_or_default().to_lowercase();
    ["listen", "unlisten", "notify", "set", "lock", "begin", "savepoint"].contains(&verb.as_str())
}

/// PREPARE checks names and types; EXPLAIN plans it, which checks the role's rights, and runs nothing.
async fn accepts(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let prepare = format!("prepare checked as {sql}");
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(prepare))).await?;
    let parameters: i32 =
        sqlx::query_scalar("select cardinality(parameter_types) from pg_prepared_statements where name = 'checked'")
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
    let arguments = vec!["null"; parameters.unsigned_abs() as usize].join(", ");
    let arguments = if arguments.is_empty() {
        arguments
    } else {
        format!("({arguments})")
    };
    let explained = transaction
        .execute(sqlx::raw_sql(AssertSqlSafe(format!(
            "explain execute checked{arguments}"
        ))))
        .await;
    transaction.rollback().await?;
    connection.execute("deallocate all").await?;
    explained.map(drop)
}
