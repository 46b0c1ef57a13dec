//! Whether this process can serve requests.

use tenantry_postgres::DatabaseError;

use crate::App;

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(#[from] DatabaseError),
}

impl NotReady {
    /// The stable code of this reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Database(_) => "database_unreachable",
        }
    }
}

/// Asks both roles for a transaction. That the schema and its policies are what this version needs was checked when
/// the server started, which it refuses otherwise.
///
/// # Errors
/// With the reason.
pub async fn check(app: &App) -> Result<(), NotReady> {
    app.database.read_system("readiness").await?.rollback().await?;
    Ok(())
}
