//! The three scopes that a transaction can run in. Every statement of Tenantry runs in one of them, and the type says
//! whose rows it sees; the policies in PostgreSQL make it true.

use futures::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr,
    Transaction,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tenantry_domain::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::{error::DatabaseError, unnamed::Unnamed};

/// Whether a transaction may write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Opens a transaction in a scope, in one round trip. The scope's settings are formatted into the statement (a simple
/// query takes no parameters), so they are taken as UUIDs, never as text. Both are always set, so that nothing left
/// over from elsewhere can widen a scope.
async fn begin(
    pool: &PgPool,
    access: Access,
    organization: Option<Uuid>,
    user: Option<Uuid>,
) -> Result<Transaction<'static, Postgres>, DatabaseError> {
    let mode = match access {
        Access::ReadWrite => "READ WRITE",
        Access::ReadOnly => "READ ONLY",
    };
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let statement = format!(
        "BEGIN {mode}; SELECT set_config('app.organization_id', '{}', true), set_config('app.user_id', '{}', true)",
        text(organization),
        text(user),
    );
    // Connections that PostgreSQL closed while they were idle (a restart) are found out here, each by one failure.
    // Nothing has happened yet in this transaction, so another connection may be tried for each that the pool can hold.
    let mut stale = pool.options().get_max_connections();
    loop {
        match begin_to_the_end(pool, statement.clone())
            .await
            .map_err(DatabaseError::from)
        {
            Err(DatabaseError::Unavailable(_)) if stale > 0 && !pool.is_closed() => stale -= 1,
            outcome => return outcome,
        }
    }
}

/// `BEGIN` in a task of its own, which nobody cancels: in sqlx 0.9.0 a caller who leaves while it is under way (a request
/// that was given up, a timeout) would leave the transaction open on a connection that goes back into the pool, and whoever
/// got that next would be inside of it. Solved by <https://github.com/transact-rs/sqlx/pull/4394>, which no release has yet.
async fn begin_to_the_end(pool: &PgPool, statement: String) -> Result<Transaction<'static, Postgres>, Error> {
    // Waiting for a connection may be given up: nothing has happened on it.
    let connection = pool.acquire().await?;
    tokio::spawn(Transaction::begin(
        connection,
        Some(AssertSqlSafe(statement).into_sql_str()),
    ))
    .await
    .unwrap_or(Err(Error::WorkerCrashed))
}

/// Who a pool is logged in as; when that is not whose rights it has, both.
pub(crate) async fn login_of(pool: &PgPool) -> Result<String, DatabaseError> {
    let mut transaction = SystemTx::begin(pool, Access::ReadOnly).await?;
    let login = sqlx::query_scalar(
        "select case when session_user = current_user then current_user::text
                     else session_user || ' acting as ' || current_user end",
    )
    .fetch_one(&mut transaction)
    .await?;
    transaction.rollback().await?;
    Ok(login)
}

fn prepared_ahead() -> Error {
    Error::Configuration("statements of a scoped transaction are unnamed and cannot be prepared ahead of time".into())
}

macro_rules! scope {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Rolls back when dropped without [`commit`](Self::commit).
        #[derive(Debug)]
        #[must_use = "a transaction that is not committed is rolled back"]
        pub struct $name {
            transaction: Transaction<'static, Postgres>,
        }

        impl $name {
            /// Makes everything done so far lasting. Deferred constraints are checked now, so this too can conflict.
            ///
            /// # Errors
            /// A deferred constraint, or a connection that broke: then nobody knows whether it was committed.
            pub async fn commit(self) -> Result<(), DatabaseError> {
                Ok(self.transaction.commit().await?)
            }

            /// Undoes everything done so far, and says when that is finished.
            ///
            /// # Errors
            /// A connection that broke; PostgreSQL then rolls back by itself.
            pub async fn rollback(self) -> Result<(), DatabaseError> {
                Ok(self.transaction.rollback().await?)
            }

            /// The connection under the transaction, for code that knows no scopes (the engine's `enqueue`). Statements
            /// on it are not made unnamed: whoever uses it must ask for `persistent(false)`.
            pub fn connection(&mut self) -> &mut PgConnection {
                &mut self.transaction
            }
        }

        impl Scoped for $name {
            fn session(&mut self) -> &mut PgConnection {
                self.connection()
            }
        }

        impl<'c> Executor<'c> for &'c mut $name {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                Executor::fetch_many(&mut *self.transaction, Unnamed(query))
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                Executor::fetch_optional(&mut *self.transaction, Unnamed(query))
            }

            /// Refuses: a statement prepared ahead of time has a name, which a pooler loses.
            fn prepare_with<'e>(
                self,
                _sql: SqlStr,
                _parameters: &'e [PgTypeInfo],
            ) -> BoxFuture<'e, Result<PgStatement, Error>>
            where
                'c: 'e,
            {
                Box::pin(async { Err(prepared_ahead()) })
            }

            /// Refuses, for the same reason.
            fn describe<'e>(
                self,
                _sql: SqlStr,
            ) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
            where
                'c: 'e,
            {
                Box::pin(async { Err(prepared_ahead()) })
            }
        }
    };
}

/// A transaction in any scope, for what is written in all of them.
pub trait Scoped: Send {
    /// The connection under it: statements on it ask for `persistent(false)` themselves.
    fn session(&mut self) -> &mut PgConnection;
}

impl Scoped for PgConnection {
    fn session(&mut self) -> &mut PgConnection {
        self
    }
}

scope! {
    /// One organization's rows, as `tenantry_app`: what its people read, and write where nothing else is touched.
    OrganizationTx
}

scope! {
    /// A user's own rows and memberships and, read-only, what a member may see of those organizations, as
    /// `tenantry_app`.
    UserTx
}

scope! {
    /// Every row, as `tenantry_system`: sign-in, look-ups across organizations, the inbox, workers, operators. Each use
    /// says in a few words what it is for, so that a search for `system(` lists them all.
    SystemTx
}

impl OrganizationTx {
    pub(crate) async fn begin(pool: &PgPool, access: Access, id: OrganizationId) -> Result<Self, DatabaseError> {
        let transaction = begin(pool, access, Some(id.uuid()), None).await?;
        Ok(Self { transaction })
    }
}

impl UserTx {
    pub(crate) async fn begin(pool: &PgPool, access: Access, id: UserId) -> Result<Self, DatabaseError> {
        let transaction = begin(pool, access, None, Some(id.uuid())).await?;
        Ok(Self { transaction })
    }
}

impl SystemTx {
    pub(crate) async fn begin(pool: &PgPool, access: Access) -> Result<Self, DatabaseError> {
        let transaction = begin(pool, access, None, None).await?;
        Ok(Self { transaction })
    }
}
