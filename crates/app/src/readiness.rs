//! Whether this process can serve requests.

use tenantry_domain::ids::OrganizationId;
use tenantry_postgres::DatabaseError;
use uuid::Uuid;

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
    // Any organization will do, also one that does not exist: it is the role that is asked.
    let nobody = OrganizationId::from_uuid(Uuid::nil());
    app.database.read_organization(nobody).await?.rollback().await?;
    Ok(())
}
