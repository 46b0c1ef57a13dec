//! What operators sign in with, as it is changed: passwords, and links to set a second factor up.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::{OperatorId, SessionId};

use crate::{DatabaseError, SystemTx};

/// Sets the stored hash; `false` when there is no such operator.
///
/// # Errors
/// The database's.
pub async fn set_password_hash(tx: &mut SystemTx, id: OperatorId, hash: &str) -> Result<bool, DatabaseError> {
    let set = sqlx::query("update operators set password_hash = $2 where id = $1")
        .bind(id.uuid())
        .bind(hash)
        .execute(tx)
        .await?;
    Ok(set.rows_affected() == 1)
}

/// Ends every sign-in of an operator that still waits for a second factor.
///
/// # Errors
/// The database's.
pub async fn void_challenges(tx: &mut SystemTx, id: OperatorId) -> Result<(), DatabaseError> {
    sqlx::query("delete from sign_in_challenges where operator_id = $1")
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends every session of an operator but the present one.
///
/// # Errors
/// The database's.
pub async fn end_other_sessions(
    tx: &mut SystemTx,
    id: OperatorId,
    present: SessionId,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query("update operator_sessions set ended_at = $3 where operator_id = $1 and id <> $2 and ended_at is null")
        .bind(id.uuid())
        .bind(present.uuid())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// From now on the operator sets a second factor up by this link only; one from before works no more.
///
/// # Errors
/// The database's.
pub async fn require_enrolment(
    tx: &mut SystemTx,
    id: OperatorId,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    sqlx::query("update operators set enrolment_hash = $2, enrolment_expires_at = $3 where id = $1")
        .bind(id.uuid())
        .bind(hash.as_slice())
        .bind(expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether the operator may set a second factor up with the link of this hash, or with none where none is asked for.
///
/// # Errors
/// The database's.
pub async fn may_enrol(
    tx: &mut SystemTx,
    id: OperatorId,
    hash: Option<&[u8; 32]>,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select exists (select from operators
             where id = $1 and (enrolment_hash is null or (enrolment_hash = $2 and enrolment_expires_at > $3)))",
    )
    .bind(id.uuid())
    .bind(hash.map(<[u8; 32]>::as_slice))
    .bind(now)
    .fetch_one(tx)
    .await?)
}

/// The link has done what it was for.
///
/// # Errors
/// The database's.
pub async fn spend_enrolment(tx: &mut SystemTx, id: OperatorId) -> Result<(), DatabaseError> {
    sqlx::query("update operators set enrolment_hash = null, enrolment_expires_at = null where id = $1")
        .bind(id.uuid())
        .execute(tx)
        .await?;
    Ok(())
}
