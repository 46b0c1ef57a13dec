//! What a transaction in one scope can see and do of another's rows.

use sqlx::{AssertSqlSafe, Executor, Postgres, Row, postgres::PgRow};
use tenantry_postgres::{
    Database, OrganizationTx, UserTx,
    isolation::{Class, TABLES},
};
use tenantry_test_support::TestDatabase;
use uuid::Uuid;

use super::world::{Owner, World, owner_of};

/// The scope that a probe runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The organization of the first world.
    Organization,
    /// The user of the first world.
    User,
    /// An organization that does not exist.
    Nobody,
}

pub const SCOPES: [Scope; 3] = [Scope::Organization, Scope::User, Scope::Nobody];

/// Something that a scope could see or do and should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub table: String,
    pub scope: Scope,
    pub what: String,
}

/// An open transaction of either kind.
enum Tx {
    Organization(OrganizationTx),
    User(UserTx),
}

async fn begin(database: &Database, scope: Scope, own: World) -> Tx {
    match scope {
        Scope::Organization => Tx::Organization(database.organization(own.organization).await.unwrap()),
        Scope::User => Tx::User(database.user(own.user).await.unwrap()),
        Scope::Nobody => {
            let nobody = tenantry_domain::ids::OrganizationId::from_uuid(Uuid::now_v7());
            Tx::Organization(database.organization(nobody).await.unwrap())
        }
    }
}

impl Tx {
    /// Rows returned and rows changed, or the code of the refusal.
    async fn run(&mut self, statement: &str) -> Result<(Vec<PgRow>, u64), String> {
        match self {
            Self::Organization(tx) => run(tx, statement).await,
            Self::User(tx) => run(tx, statement).await,
        }
    }
}

async fn run<'c>(
    executor: impl Executor<'c, Database = Postgres>,
    statement: &str,
) -> Result<(Vec<PgRow>, u64), String> {
    use futures::TryStreamExt;
    let query = sqlx::query(AssertSqlSafe(statement));
    let mut steps = executor.fetch_many(query);
    let (mut rows, mut changed) = (Vec::new(), 0);
    loop {
        match steps.try_next().await {
            Ok(None) => return Ok((rows, changed)),
            Ok(Some(sqlx::Either::Left(result))) => changed += result.rows_affected(),
            Ok(Some(sqlx::Either::Right(row))) => rows.push(row),
            Err(sqlx::Error::Database(refusal)) => return Err(refusal.code().unwrap_or_default().into_owned()),
            Err(error) => panic!("{statement}: {error}"),
        }
    }
}

/// Insufficient privilege: by rights or by row-level security.
const REFUSED: &str = "42501";

/// Everything that `own` can see or do of what belongs to `other`, over all tables.
pub async fn breaches(database: &Database, test: &TestDatabase, own: World, other: World) -> Vec<Breach> {
    let mut found = Vec::new();
    for (table, class) in TABLES {
        found.extend(breaches_of(database, test, table, *class, own, other).await);
    }
    found.extend(other_roles(database, own).await);
    found
}

/// The same for one table.
pub async fn breaches_of(
    database: &Database,
    test: &TestDatabase,
    table: &str,
    class: Class,
    own: World,
    other: World,
) -> Vec<Breach> {
    let foreign_row = a_row(test, table, owner_of(table, class).map(|owner| (owner, other))).await;
    let mut found = Vec::new();
    for scope in SCOPES {
        for (what, statement, allowed) in attempts(table, class, scope, own, other, &foreign_row) {
            let mut tx = begin(database, scope, own).await;
            let outcome = match tx.run(&statement).await {
                // A count comes as a row, a change as a number.
                Ok((rows, changed)) => match rows.first() {
                    Some(row) => row.get::<i64, _>(0).unsigned_abs(),
                    None => changed,
                },
                Err(code) if code == REFUSED => continue,
                // The row got past the policies and met a constraint.
                Err(_) => u64::MAX,
            };
            if outcome != allowed {
                found.push(Breach {
                    table: table.to_owned(),
                    scope,
                    what: format!("{what}: {outcome} instead of {allowed}"),
                });
            }
        }
    }
    found
}

/// What is tried in one scope on one table: a description, the statement, and how many rows it may see or change.
fn attempts(
    table: &str,
    class: Class,
    scope: Scope,
    own: World,
    other: World,
    foreign_row: &ForeignRow,
) -> Vec<(String, String, u64)> {
    let ForeignRow { columns, json } = foreign_row;
    let insert = format!(
        "insert into {table} ({columns}) overriding system value
         select {columns} from jsonb_populate_record(null::{table}, '{json}')"
    );
    let Some(owner) = owner_of(table, class) else {
        return vec![
            ("read".to_owned(), format!("select count(*) from {table}"), 0),
            ("delete".to_owned(), format!("delete from {table}"), 0),
            ("insert".to_owned(), insert, 0),
        ];
    };
    let column = owner.column();
    let (mine, theirs) = (owner.of(own), owner.of(other));
    vec![
        (
            "read all".to_owned(),
            format!("select count(*) from {table}"),
            visible(class, scope),
        ),
        (
            "read another's".to_owned(),
            format!("select count(*) from {table} where {column} = '{theirs}'"),
            0,
        ),
        (
            "change another's".to_owned(),
            format!("update {table} set {column} = {column} where {column} = '{theirs}'"),
            0,
        ),
        (
            "take another's".to_owned(),
            format!("update {table} set {column} = '{mine}' where {column} = '{theirs}'"),
            0,
        ),
        (
            "change all others'".to_owned(),
            format!("update {table} set {column} = {column} where {column} <> '{mine}'"),
            0,
        ),
        (
            "delete another's".to_owned(),
            format!("delete from {table} where {column} = '{theirs}'"),
            0,
        ),
        ("insert for another".to_owned(), insert, 0),
        (
            "give to another".to_owned(),
            format!("update {table} set {column} = '{theirs}' where {column} = '{mine}'"),
            0,
        ),
        // Reads nothing, so the policies for reading do not help.
        (
            "give all to another".to_owned(),
            format!("update {table} set {column} = '{theirs}'"),
            0,
        ),
    ]
}

/// How many rows a scope sees of a table in which each world has one.
fn visible(class: Class, scope: Scope) -> u64 {
    match (scope, class) {
        (Scope::Organization, Class::Organization | Class::OrganizationUser)
        | (Scope::User, Class::OrganizationUser | Class::User) => 1,
        _ => 0,
    }
}

/// Whether the log-in can become somebody who sees more.
async fn other_roles(database: &Database, own: World) -> Vec<Breach> {
    let mut found = Vec::new();
    for role in ["tenantry_system", "tenantry_owner", "postgres"] {
        let mut tx = begin(database, Scope::Organization, own).await;
        if tx.run(&format!("set local role {role}")).await.is_ok() {
            found.push(Breach {
                table: "every table".to_owned(),
                scope: Scope::Organization,
                what: format!("act as {role}"),
            });
        }
    }
    found
}

/// A row that somebody may want to write.
struct ForeignRow {
    /// Those that can be written: what is computed is not among them.
    columns: String,
    json: String,
}

/// A row, seen by a superuser: another's, or any of a table of the system.
async fn a_row(test: &TestDatabase, table: &str, whose: Option<(Owner, World)>) -> ForeignRow {
    let condition = match whose {
        Some((owner, world)) => format!("{} = '{}'", owner.column(), owner.of(world)),
        None => "true".to_owned(),
    };
    let statement = format!("select to_jsonb(t)::text from {table} t where {condition} limit 1");
    let mut superuser = test.superuser().await;
    let row: String = sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    let columns: String = sqlx::query_scalar(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
          where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
    )
    .bind(table)
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    ForeignRow {
        columns,
        json: row.replace('\'', "''"),
    }
}
