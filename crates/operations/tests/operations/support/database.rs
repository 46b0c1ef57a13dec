use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tenantry_operations::{Enqueued, NewOperation, OperationState, Progress, load_progress};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::server;
use super::world::{Faults, Sequence};

/// What the tests' steps touch instead of a cluster. Subjects need not exist: the engine does not know what they are.
const WORLD: &str = "
alter table operations drop constraint operations_organization_id_tenant_id_fkey;
create unique index if not exists jobs_one_running on jobs (queue_key) where state = 'running';
create table world_things (operation uuid, step text, primary key (operation, step));
create table world_acts (n bigserial primary key, operation uuid, step text, phase text, epoch bigint);
create table world_hooks (n bigserial primary key, operation uuid, hook text);
create table world_runs (n bigserial primary key, job uuid, label text, began boolean,
    at timestamptz default clock_timestamp());
grant all on all tables in schema public to tenantry_system;
grant all on all sequences in schema public to tenantry_system;
";

/// A database of its own for one test.
#[derive(Clone)]
pub(crate) struct Scratch {
    pub(crate) socket: PathBuf,
    pub(crate) name: String,
    pub(crate) pool: PgPool,
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        static TEMPLATE: Mutex<bool> = Mutex::const_new(false);
        let socket = server::socket();
        let name = format!("scratch_{}", Uuid::now_v7().simple());
        let mut is_made = TEMPLATE.lock().await;
        if !*is_made {
            make_template(socket).await;
            *is_made = true;
        }
        let mut admin = superuser(socket, "postgres").await;
        admin
            .execute(AssertSqlSafe(format!(
                "create database {name} template template_operations"
            )))
            .await
            .unwrap();
        drop(is_made);
        Self::open(socket, name)
    }

    /// A database that exists, for a second process.
    pub(crate) fn open(socket: &Path, name: String) -> Self {
        let pool = pool(socket, &name, 12);
        Self {
            socket: socket.to_owned(),
            name,
            pool,
        }
    }

    pub(crate) fn pool_of(&self, connections: u32) -> PgPool {
        pool(&self.socket, &self.name, connections)
    }

    pub(crate) async fn connection(&self) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
        self.pool.acquire().await.unwrap()
    }

    /// Queues a [`Sequence`] on a subject of its own.
    pub(crate) async fn queue(&self, faults: Faults) -> Uuid {
        self.queue_new(NewOperation::of::<Sequence>(Uuid::now_v7(), Uuid::now_v7(), &faults, "test", "tester").unwrap())
            .await
    }

    pub(crate) async fn queue_new(&self, new: NewOperation) -> Uuid {
        let mut tx = self.pool.begin().await.unwrap();
        let queued = tenantry_operations::enqueue(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        let Enqueued::Queued(id) = queued else {
            panic!("{queued:?}")
        };
        id
    }

    pub(crate) async fn progress(&self, operation: Uuid) -> Progress {
        load_progress(&mut *self.connection().await, operation)
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn state(&self, operation: Uuid) -> OperationState {
        sqlx::query_scalar("select state from operations where id = $1")
            .bind(operation)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn epoch(&self, operation: Uuid) -> i64 {
        sqlx::query_scalar("select epoch from operations where id = $1")
            .bind(operation)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn reach(&self, operation: Uuid, state: OperationState) -> Progress {
        eventually(&format!("state {state:?}"), async || {
            (self.state(operation).await == state).then_some(())
        })
        .await;
        self.progress(operation).await
    }

    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.pool).await.unwrap()
    }
}

fn options(socket: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .username("postgres")
        .database(database)
}

fn pool(socket: &Path, database: &str, connections: u32) -> PgPool {
    let options = options(socket, database).options([("role", "tenantry_system")]);
    PgPoolOptions::new()
        .max_connections(connections)
        .connect_lazy_with(options)
}

async fn superuser(socket: &Path, database: &str) -> PgConnection {
    PgConnection::connect_with(&options(socket, database)).await.unwrap()
}

async fn make_template(socket: &Path) {
    let mut admin = superuser(socket, "postgres").await;
    admin.execute("create role tenantry_app").await.unwrap();
    admin.execute("create role tenantry_system").await.unwrap();
    admin.execute("create database template_operations").await.unwrap();
    let mut template = superuser(socket, "template_operations").await;
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../postgres/migrations");
    Migrator::new(migrations)
        .await
        .unwrap()
        .run(&mut template)
        .await
        .unwrap();
    template.execute(sqlx::raw_sql(WORLD)).await.unwrap();
    template.close().await.unwrap();
}

/// Waits for a condition, generously: the machine may be busy.
pub(crate) async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
