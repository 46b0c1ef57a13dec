//! Whether this database belongs to real money: decided once, by the first key that it meets.

use crate::{DatabaseError, SystemTx};

/// Binds the database to test or live mode at the first call, and returns what it is bound to.
///
/// # Errors
/// When the database fails or is not migrated.
pub async fn bind(tx: &mut SystemTx, livemode: bool) -> Result<bool, DatabaseError> {
    let bound: bool =
        sqlx::query_scalar("update installation set livemode = coalesce(livemode, $1) returning livemode")
            .bind(livemode)
            .fetch_one(tx)
            .await?;
    Ok(bound)
}
