//! Statements that any connection pooler passes on: never prepared under a name.
//!
//! A transaction pooler hands the server's connection to somebody else between two transactions, so a statement that
//! was prepared under a name in the first is missing, or is another client's, in the second. Switching the driver's
//! cache off is not enough (it then prepares a named statement each time), so every statement of a scoped transaction
//! passes through this wrapper, which asks for the unnamed one.

use sqlx::{
    Database, Execute, Postgres, SqlStr,
    error::BoxDynError,
    postgres::{PgArguments, PgStatement},
};

/// A statement that is executed without a name, whatever its author asked for.
pub(crate) struct Unnamed<E>(pub(crate) E);

impl<'q, E> Execute<'q, Postgres> for Unnamed<E>
where
    E: Execute<'q, Postgres>,
{
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    /// A statement prepared beforehand has a name, so it is not used; its text is prepared again.
    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<<Postgres as Database>::Arguments>, BoxDynError> {
        let arguments: Option<PgArguments> = self.0.take_arguments()?;
        Ok(arguments)
    }

    fn persistent(&self) -> bool {
        false
    }
}
