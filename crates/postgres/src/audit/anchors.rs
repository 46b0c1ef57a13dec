//! Dropping what is old, behind a signed anchor.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tenantry_domain::audit::Head;
use uuid::Uuid;

use super::HeadRow;
use crate::{DatabaseError, SystemTx};

/// What vouches for the beginning of a chain that was dropped.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The last row that was dropped.
    pub head: Head,
    /// When.
    pub anchored_at: DateTime<Utc>,
    /// Over both.
    pub signature: Vec<u8>,
}

#[derive(FromRow)]
struct AnchorRow {
    #[sqlx(flatten)]
    head: HeadRow,
    anchored_at: DateTime<Utc>,
    signature: Vec<u8>,
}

/// The old beginning of a chain.
#[derive(Debug, Clone)]
pub struct OldBeginning {
    /// Which chain.
    pub chain: Uuid,
    /// Its last old row; none when there is none.
    pub last: Option<Head>,
}

#[derive(FromRow)]
struct OldBeginningRow {
    chain: Uuid,
    scope: String,
    seq: Option<i64>,
    hash: Option<Vec<u8>>,
}

/// Takes the turn to drop until the transaction ends, unless somebody else has it, or somebody verifies the log.
///
/// # Errors
/// The database's.
pub async fn take_turn(tx: &mut SystemTx) -> Result<bool, DatabaseError> {
    Ok(
        sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended('drop from the audit log', 0))")
            .fetch_one(tx)
            .await?,
    )
}

/// Keeps everybody from dropping until the transaction ends, so that the log can be walked along in peace.
///
/// # Errors
/// The database's.
pub async fn hold_off(tx: &mut SystemTx) -> Result<(), DatabaseError> {
    sqlx::query("select pg_advisory_xact_lock_shared(hashtextextended('drop from the audit log', 0))")
        .execute(tx)
        .await?;
    Ok(())
}

/// Beginnings of chains in which every row was written before that: of so many chains, so many rows of each at most; of none
/// of those that are left alone.
///
/// # Errors
/// The database's, and a row that cannot be read.
pub async fn list_old(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    chains: i64,
    rows: i64,
    left_alone: &[Uuid],
) -> Result<Vec<OldBeginning>, DatabaseError> {
    let found: Vec<OldBeginningRow> = sqlx::query_as(
        "select due.chain, due.scope, last.seq, last.hash
           from (select chain, scope from audit_chains where first_at < $1 and chain <> all($4::uuid[])
                  order by first_at limit $2) due
           left join lateral (
                select old.seq, old.hash from (
                    select first.seq, first.hash, bool_and(first.at < $1) over (order by first.seq) as is_old
                      from (select e.seq, e.hash, e.at from audit_events e
                             where e.chain = due.chain and e.seq is not null order by e.seq limit $3) first) old
                 where old.is_old order by old.seq desc limit 1) last on true",
    )
    .bind(before)
    .bind(chains)
    .bind(rows)
    .bind(left_alone)
    .fetch_all(tx)
    .await?;
    found
        .into_iter()
        .map(|row| {
            let last = match (row.seq, row.hash) {
                (Some(seq), Some(hash)) => Some(Head::try_from(HeadRow {
                    chain: row.chain,
                    scope: row.scope,
                    seq,
                    hash,
                })?),
                _ => None,
            };
            Ok(OldBeginning { chain: row.chain, last })
        })
        .collect()
}

/// Leaves anchors, and drops what is behind them. Returns how many rows went.
///
/// # Errors
/// The database's; its triggers refuse what is younger than a year, and what is not the beginning.
pub async fn drop_behind(tx: &mut SystemTx, anchors: &[Anchor]) -> Result<u64, DatabaseError> {
    let chains: Vec<Uuid> = anchors.iter().map(|anchor| anchor.head.chain.uuid()).collect();
    let scopes: Vec<&str> = anchors.iter().map(|anchor| anchor.head.chain.scope()).collect();
    let numbers: Vec<i64> = anchors.iter().map(|anchor| anchor.head.seq).collect();
    let hashes: Vec<&[u8]> = anchors
        .iter()
        .map(|anchor| anchor.head.hash.as_bytes().as_slice())
        .collect();
    let times: Vec<DateTime<Utc>> = anchors.iter().map(|anchor| anchor.anchored_at).collect();
    let signatures: Vec<&[u8]> = anchors.iter().map(|anchor| anchor.signature.as_slice()).collect();
    sqlx::query(
        "insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
         select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bytea[], $5::timestamptz[], $6::bytea[])
         on conflict (chain) do update
            set seq = excluded.seq, hash = excluded.hash, anchored_at = excluded.anchored_at,
                signature = excluded.signature
          where audit_anchors.seq < excluded.seq",
    )
    .bind(&chains)
    .bind(&scopes)
    .bind(&numbers)
    .bind(&hashes)
    .bind(&times)
    .bind(&signatures)
    .execute(&mut *tx)
    .await?;
    let dropped = sqlx::query(
        "delete from audit_events e using unnest($1::uuid[], $2::bigint[]) d (chain, seq)
          where e.chain = d.chain and e.seq <= d.seq",
    )
    .bind(&chains)
    .bind(&numbers)
    .execute(tx)
    .await?;
    Ok(dropped.rows_affected())
}

/// Notes when the first row that is left was written; of rows that somebody seals at this moment, too.
///
/// # Errors
/// The database's.
pub async fn note_first(tx: &mut SystemTx, beginnings: &[OldBeginning]) -> Result<(), DatabaseError> {
    let chains: Vec<Uuid> = beginnings.iter().map(|beginning| beginning.chain).collect();
    super::chains::lock(tx, &chains).await?;
    sqlx::query(
        "update audit_chains c set first_at = (
                select e.at from audit_events e where e.chain = c.chain and e.seq is not null order by e.seq limit 1)
          where c.chain = any($1)",
    )
    .bind(&chains)
    .execute(tx)
    .await?;
    Ok(())
}

/// Anchors after a chain, in the order of chains; of one chain, if one is given.
///
/// # Errors
/// The database's, and a row that cannot be read.
pub async fn list(
    tx: &mut SystemTx,
    after: Option<Uuid>,
    chain: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Anchor>, DatabaseError> {
    let rows: Vec<AnchorRow> = sqlx::query_as(
        "select chain, scope, seq, hash, anchored_at, signature from audit_anchors
          where ($1::uuid is null or chain > $1) and ($2::uuid is null or chain = $2) order by chain limit $3",
    )
    .bind(after)
    .bind(chain)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Anchor {
                head: row.head.try_into()?,
                anchored_at: row.anchored_at,
                signature: row.signature,
            })
        })
        .collect()
}
