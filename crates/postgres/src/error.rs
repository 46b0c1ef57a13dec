//! What can go wrong between Tenantry and PostgreSQL, by what the caller can do about it.

use std::borrow::Cow;

/// The failure of a statement or of a connection.
///
/// The text is for logs: it may hold values of a row, so it never goes to a client as it stands.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection could be made, or the one in use broke. Trying again later may help.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Every connection was in use for longer than the pool waits, or a statement or lock took too long.
    #[error("the database took too long: {0}")]
    Timeout(#[source] sqlx::Error),
    /// The row would break a rule of the schema; the constraint's name says which.
    #[error("constraint {constraint} ({kind:?}) refuses the row: {source}")]
    Conflict {
        /// What kind of rule it is.
        kind: ConflictKind,
        /// The constraint's, unique index's or trigger's name; empty for a rule without a name.
        constraint: String,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// Two transactions stood in each other's way and this one lost. The whole transaction may be tried again.
    #[error("another transaction was first: {0}")]
    Contention(#[source] sqlx::Error),
    /// The role or the row-level policy of this scope does not allow the statement: a defect of ours, or an attack.
    #[error("the scope of this transaction does not allow it: {0}")]
    Forbidden(#[source] sqlx::Error),
    /// A row that had to be there is not.
    #[error("no such row")]
    NotFound,
    /// Anything else: a defect of ours, or a database that is broken or not migrated.
    #[error("the database answered unexpectedly: {0}")]
    Unexpected(#[source] sqlx::Error),
}

/// The kinds of rule that a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// Another row has the same key.
    Unique,
    /// A row that this one names is missing, or a row that is to go is still named.
    Reference,
    /// A value is outside of what is allowed, or missing.
    Check,
    /// An invariant over several rows or over time, kept by a trigger.
    Invariant,
}

impl DatabaseError {
    /// The name of the constraint that refused the row, where one did.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Conflict { constraint, .. } => Some(constraint),
            _ => None,
        }
    }

    /// Whether this constraint, unique index or trigger refused the row.
    #[must_use]
    pub fn is_conflict_on(&self, constraint: &str) -> bool {
        self.constraint() == Some(constraint)
    }

    /// Whether a value is one that PostgreSQL cannot keep. Trying again does not help; other rows may well be kept.
    #[must_use]
    pub fn is_about_a_value(&self) -> bool {
        let Self::Unexpected(sqlx::Error::Database(refusal)) = self else {
            return false;
        };
        // "Data exception", appendix A of its manual.
        refusal.code().is_some_and(|code| code.starts_with("22"))
    }

    /// Whether the same transaction, started again, may succeed.
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout(_) | Self::Contention(_))
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut => Self::Timeout(error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable(error),
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or(Cow::Borrowed("")).into_owned();
                let constraint = refusal.constraint().unwrap_or_default().to_owned();
                by_sqlstate(&code, constraint, error)
            }
            _ => Self::Unexpected(error),
        }
    }
}

/// Sorts PostgreSQL's own codes (appendix A of its manual).
fn by_sqlstate(code: &str, constraint: String, source: sqlx::Error) -> DatabaseError {
    let conflict = |kind, source| DatabaseError::Conflict {
        kind,
        constraint,
        source,
    };
    match code {
        "23505" | "23P01" => conflict(ConflictKind::Unique, source),
        "23503" | "23001" => conflict(ConflictKind::Reference, source),
        "23514" | "23502" => conflict(ConflictKind::Check, source),
        "23000" => conflict(ConflictKind::Invariant, source),
        "40001" | "40P01" => DatabaseError::Contention(source),
        "55P03" | "57014" | "25P03" | "25P04" => DatabaseError::Timeout(source),
        "42501" => DatabaseError::Forbidden(source),
        _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
            DatabaseError::Unavailable(source)
        }
        _ => DatabaseError::Unexpected(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        let sorted = |code| by_sqlstate(code, "name".to_owned(), sqlx::Error::PoolClosed);
        assert!(matches!(
            sorted("23505"),
            DatabaseError::Conflict {
                kind: ConflictKind::Unique,
                ..
            }
        ));
        assert!(sorted("40001").is_worth_retrying());
        assert!(sorted("57P01").is_worth_retrying());
        assert!(!sorted("42501").is_worth_retrying());
        assert!(matches!(sorted("42P01"), DatabaseError::Unexpected(_)));
    }

    #[test]
    fn a_missing_row_is_not_found() {
        assert!(matches!(
            DatabaseError::from(sqlx::Error::RowNotFound),
            DatabaseError::NotFound
        ));
    }
}
