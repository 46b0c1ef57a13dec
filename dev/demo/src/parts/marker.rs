//! Whose database `DEMO_DATABASE_URL` names: the demonstration takes an empty one, or one that it made itself, and no other.
//!
//! Its mark is a comment on a table of the schema, so that the schema stays the product's own. The mark also keeps the
//! master key, without which nothing that an earlier demonstration sealed there would open.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

use crate::{customer::random_key, error::DemoError};

const MARK: &str = "Made by the demonstration of Tenantry; its master key: ";

/// A database that the demonstration may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// In base64; of an earlier demonstration where there was one.
    pub master_key: String,
    /// Whether an earlier demonstration has left its people and tenants there.
    pub was_used: bool,
}

impl Claim {
    /// For a database that was made for this very run.
    pub fn fresh() -> Self {
        Self {
            master_key: random_key(),
            was_used: false,
        }
    }
}

/// Looks whether the database may be used. Changes nothing.
pub async fn claim(owner: &Url) -> Result<Claim, DemoError> {
    let mut connection = PgConnection::connect(owner.as_str()).await.map_err(unusable)?;
    let mark: Option<String> = sqlx::query_scalar("select obj_description(to_regclass('installation'), 'pg_class')")
        .fetch_one(&mut connection)
        .await
        .map_err(unusable)?;
    if let Some(key) = mark.as_deref().and_then(|mark| mark.strip_prefix(MARK)) {
        return Ok(Claim {
            master_key: key.to_owned(),
            was_used: true,
        });
    }
    let relations: i64 = sqlx::query_scalar(
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%'",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(unusable)?;
    if relations > 0 {
        return Err(DemoError::Refused(format!(
            "{} is neither empty nor made by an earlier demonstration: give DEMO_DATABASE_URL an empty database",
            described(owner)
        )));
    }
    // Log-in roles belong to the whole server, and the demonstration gives them new passwords.
    let roles: i64 =
        sqlx::query_scalar("select count(*) from pg_roles where rolname in ('tenantry_app', 'tenantry_system')")
            .fetch_one(&mut connection)
            .await
            .map_err(unusable)?;
    if roles > 0 {
        return Err(DemoError::Refused(format!(
            "the server of {} has the roles tenantry_app and tenantry_system already, which another Tenantry may log in \
             with: give DEMO_DATABASE_URL a server of its own, or drop the roles when nobody uses them",
            described(owner)
        )));
    }
    Ok(Claim::fresh())
}

/// Marks a database whose schema has just been made.
pub async fn mark(owner: &Url, claim: &Claim) -> Result<(), DemoError> {
    let mut connection = PgConnection::connect(owner.as_str()).await.map_err(unusable)?;
    // COMMENT takes no parameters; base64 needs no quoting.
    let statement = format!("comment on table installation is '{MARK}{}'", claim.master_key);
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .map_err(unusable)?;
    Ok(())
}

/// User, host and database, never the password.
pub fn described(owner: &Url) -> String {
    let host = owner.host_str().unwrap_or("a socket");
    format!("{}@{host}{}", owner.username(), owner.path())
}

fn unusable(error: sqlx::Error) -> DemoError {
    DemoError::Part {
        part: "PostgreSQL (DEMO_DATABASE_URL)",
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tenantry_test_support::TestDatabase;

    use super::*;

    #[tokio::test]
    async fn a_database_of_somebody_else_is_refused_and_one_of_an_earlier_run_goes_on() {
        let test = TestDatabase::create().await;
        let owner: Url = test.owner_url.parse().unwrap();
        let refused = claim(&owner).await.unwrap_err().to_string();
        assert!(refused.contains("neither empty nor made"), "{refused}");
        assert!(refused.contains(&test.name), "{refused}");

        let first = Claim::fresh();
        mark(&owner, &first).await.unwrap();
        let again = claim(&owner).await.unwrap();
        assert_eq!((again.master_key, again.was_used), (first.master_key, true));
    }
}
