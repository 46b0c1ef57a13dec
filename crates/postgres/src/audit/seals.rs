//! Giving rows their place in a chain. All of it in one transaction, by whoever has the turn.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tenantry_domain::{
    audit::{ChainHash, Head, Position},
    ids::AuditEventId,
};
use uuid::Uuid;

use super::{RecordRow, stored_hash};
use crate::{DatabaseError, SystemTx};

/// What a row is given.
#[derive(Debug, Clone, Copy)]
pub struct Seal {
    /// The row.
    pub event: AuditEventId,
    /// Where it stands.
    pub position: Position,
    /// Its hash.
    pub hash: ChainHash,
}

/// A chain that has become longer.
#[derive(Debug, Clone, Copy)]
pub struct GrownChain {
    /// Where it ends now.
    pub head: Head,
    /// When the first of its new rows was written.
    pub first_at: DateTime<Utc>,
}

/// Takes the turn to seal until the transaction ends, unless somebody else has it. Whoever stops in the middle of it loses it,
/// with the transaction, to the next.
///
/// # Errors
/// The database's.
pub async fn take_turn(tx: &mut SystemTx) -> Result<bool, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select pg_try_advisory_xact_lock(hashtextextended('seal the audit log', 0))
           from set_config('idle_in_transaction_session_timeout', '3s', true)",
    )
    .fetch_one(tx)
    .await?)
}

/// Rows without a seal, the oldest first.
///
/// # Errors
/// The database's.
pub async fn list_unsealed(tx: &mut SystemTx, limit: i64) -> Result<Vec<RecordRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select coalesce(organization_id, user_id, '00000000-0000-0000-0000-000000000000') as chain,
                id, organization_id, user_id, action, actor, sealed_personal, target, body::text as body,
                (extract(epoch from greatest(least(at, '9999-12-31 UTC'), '0001-01-01 UTC')) * 1000000)::bigint
                    as at_micros
           from audit_events where seq is null order by at, id limit $1",
    )
    .bind(limit)
    .fetch_all(tx)
    .await?)
}

/// Where those chains end that have begun: number and hash of what was noted, of the last row, or of the anchor, whichever is
/// the furthest. They agree, unless somebody went around the triggers; sealing then goes on, and what happened is found when
/// the log is verified.
///
/// # Errors
/// The database's, and a hash that is none.
pub async fn find_ends(tx: &mut SystemTx, chains: &[Uuid]) -> Result<HashMap<Uuid, (i64, ChainHash)>, DatabaseError> {
    let rows: Vec<(Uuid, i64, Vec<u8>)> = sqlx::query_as(
        "select wanted.chain, final.seq, final.hash
           from unnest($1::uuid[]) wanted (chain)
          cross join lateral (
                select known.seq, known.hash from (
                    select c.seq, c.hash, 1 as source from audit_chains c where c.chain = wanted.chain
                    union all
                    (select e.seq, e.hash, 2 from audit_events e where e.chain = wanted.chain and e.seq is not null
                      order by e.seq desc limit 1)
                    union all
                    select a.seq, a.hash, 3 from audit_anchors a where a.chain = wanted.chain
                ) known order by known.seq desc, known.source limit 1) final",
    )
    .bind(chains)
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|(chain, seq, hash)| Ok((chain, (seq, stored_hash(&hash)?))))
        .collect()
}

/// Writes seals, and where the chains end then. These come in the order of chains: whoever locks several takes them so.
///
/// # Errors
/// The database's; its triggers refuse what was sealed before, and what does not follow.
pub async fn write(tx: &mut SystemTx, seals: &[Seal], grown: &[GrownChain]) -> Result<(), DatabaseError> {
    let ids: Vec<Uuid> = seals.iter().map(|seal| seal.event.uuid()).collect();
    let numbers: Vec<i64> = seals.iter().map(|seal| seal.position.seq).collect();
    let before: Vec<&[u8]> = seals
        .iter()
        .map(|seal| seal.position.prev_hash.as_bytes().as_slice())
        .collect();
    let hashes: Vec<&[u8]> = seals.iter().map(|seal| seal.hash.as_bytes().as_slice()).collect();
    sqlx::query(
        "update audit_events e set seq = s.seq, prev_hash = s.prev_hash, hash = s.hash
           from unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[]) s (id, seq, prev_hash, hash)
          where e.id = s.id",
    )
    .bind(&ids)
    .bind(&numbers)
    .bind(&before)
    .bind(&hashes)
    .execute(&mut *tx)
    .await?;
    write_ends(tx, grown).await
}

async fn write_ends(tx: &mut SystemTx, grown: &[GrownChain]) -> Result<(), DatabaseError> {
    let chains: Vec<Uuid> = grown.iter().map(|grown| grown.head.chain.uuid()).collect();
    let scopes: Vec<&str> = grown.iter().map(|grown| grown.head.chain.scope()).collect();
    let numbers: Vec<i64> = grown.iter().map(|grown| grown.head.seq).collect();
    let hashes: Vec<&[u8]> = grown
        .iter()
        .map(|grown| grown.head.hash.as_bytes().as_slice())
        .collect();
    let first_ats: Vec<DateTime<Utc>> = grown.iter().map(|grown| grown.first_at).collect();
    sqlx::query(
        "insert into audit_chains (chain, scope, seq, hash, first_at)
         select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bytea[], $5::timestamptz[])
         on conflict (chain) do update
            set seq = excluded.seq, hash = excluded.hash,
                first_at = coalesce(audit_chains.first_at, excluded.first_at)
          where audit_chains.seq < excluded.seq",
    )
    .bind(&chains)
    .bind(&scopes)
    .bind(&numbers)
    .bind(&hashes)
    .bind(&first_ats)
    .execute(tx)
    .await?;
    Ok(())
}
