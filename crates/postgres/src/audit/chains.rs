//! The chains of the log, and up to where each was signed.

use tenantry_domain::audit::Head;
use uuid::Uuid;

use super::HeadRow;
use crate::{DatabaseError, SystemTx};

/// Takes the turn to sign until the transaction ends, unless somebody else has it.
///
/// # Errors
/// The database's.
pub async fn take_turn_to_sign(tx: &mut SystemTx) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended('sign the audit log', 0))")
            .fetch_one(tx)
            .await?,
    )
}

/// Chains that have grown since they were signed last.
///
/// # Errors
/// The database's, and a row that cannot be read.
pub async fn list_unsigned(tx: &mut SystemTx, limit: i64) -> Result<Vec<Head>, DatabaseError> {
    let rows: Vec<HeadRow> = sqlx::query_as(
        "select chain, scope, seq, hash from audit_chains where checkpoint_seq < seq order by chain limit $1",
    )
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Head::try_from).collect()
}

/// Notes that they were signed so.
///
/// # Errors
/// The database's.
pub async fn mark_signed(tx: &mut SystemTx, heads: &[Head]) -> Result<(), DatabaseError> {
    let chains: Vec<Uuid> = heads.iter().map(|head| head.chain.uuid()).collect();
    let numbers: Vec<i64> = heads.iter().map(|head| head.seq).collect();
    sqlx::query(
        "update audit_chains c set checkpoint_seq = s.seq from unnest($1::uuid[], $2::bigint[]) s (chain, seq)
          where c.chain = s.chain and c.checkpoint_seq < s.seq",
    )
    .bind(&chains)
    .bind(&numbers)
    .execute(tx)
    .await?;
    Ok(())
}
