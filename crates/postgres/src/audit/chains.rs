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
    lock(tx, &chains).await?;
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

/// Locks these chains until the transaction ends: in their order, as everybody does who changes several, so that nobody who
/// seals, signs or drops waits for another who waits for them.
pub(super) async fn lock(tx: &mut SystemTx, chains: &[Uuid]) -> Result<(), DatabaseError> {
    sqlx::query("select from audit_chains where chain = any($1) order by chain for update")
        .bind(chains)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends of chains as they were noted, in the order of chains, after a chain; of one chain, if one is given.
///
/// # Errors
/// The database's, and a row that cannot be read.
pub async fn list(
    tx: &mut SystemTx,
    after: Option<Uuid>,
    chain: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Head>, DatabaseError> {
    let rows: Vec<HeadRow> = sqlx::query_as(
        "select chain, scope, seq, hash from audit_chains
          where ($1::uuid is null or chain > $1) and ($2::uuid is null or chain = $2) order by chain limit $3",
    )
    .bind(after)
    .bind(chain)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Head::try_from).collect()
}
