//! Reading the log from one end to the other, a page at a time.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tenantry_domain::{
    audit::{Chain, ChainHash, Head, Position},
    ids::AuditEventId,
};
use uuid::Uuid;

use super::{HeadRow, RecordRow, chain_of};
use crate::{DatabaseError, SystemTx};

/// A sealed row, with what is known of its chain.
#[derive(Debug, Clone, FromRow)]
pub struct SealedRow {
    /// What stands in it.
    #[sqlx(flatten)]
    pub row: RecordRow,
    /// Its number.
    pub seq: i64,
    prev_hash: Option<Vec<u8>>,
    hash: Option<Vec<u8>>,
    anchor_seq: Option<i64>,
    anchor_hash: Option<Vec<u8>>,
    /// The number that its chain ends with, as it was noted.
    pub end_seq: Option<i64>,
}

impl SealedRow {
    /// What it says of the row before; none where it does not say a hash.
    #[must_use]
    pub fn prev_hash(&self) -> Option<ChainHash> {
        self.prev_hash.as_deref().and_then(|hash| hash.try_into().ok())
    }

    /// What it says of itself.
    #[must_use]
    pub fn hash(&self) -> Option<ChainHash> {
        self.hash.as_deref().and_then(|hash| hash.try_into().ok())
    }

    /// Where it says that it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            chain: self.row.chain_id(),
            seq: self.seq,
            prev_hash: self.prev_hash().unwrap_or(ChainHash::NOTHING),
        }
    }

    /// Up to where the beginning of its chain was dropped.
    #[must_use]
    pub fn anchor(&self) -> Option<(i64, ChainHash)> {
        let hash = self.anchor_hash.as_deref().and_then(|hash| hash.try_into().ok());
        self.anchor_seq.zip(hash)
    }
}

/// Where a page begins: behind this chain and number.
pub type Cursor = (Uuid, i64);

/// Sealed rows in the order of chains and numbers; of one chain, if one is given.
///
/// # Errors
/// The database's.
pub async fn list_sealed(
    tx: &mut SystemTx,
    after: Cursor,
    chain: Option<Uuid>,
    limit: i64,
) -> Result<Vec<SealedRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select e.chain, e.id, e.organization_id, e.user_id, e.action, e.actor, e.sealed_personal, e.target,
                e.body::text as body,
                (extract(epoch from greatest(least(e.at, '9999-12-31 UTC'), '0001-01-01 UTC')) * 1000000)::bigint
                    as at_micros,
                e.seq, e.prev_hash, e.hash, a.seq as anchor_seq, a.hash as anchor_hash, c.seq as end_seq
           from audit_events e
           left join audit_anchors a on a.chain = e.chain
           left join audit_chains c on c.chain = e.chain
          where e.seq is not null and (e.chain, e.seq) > ($1, $2) and ($3::uuid is null or e.chain = $3)
          order by e.chain, e.seq limit $4",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(chain)
    .bind(limit)
    .fetch_all(tx)
    .await?)
}

/// About how many sealed rows there are to go through.
///
/// # Errors
/// The database's.
pub async fn estimate(tx: &mut SystemTx, chain: Option<Uuid>) -> Result<i64, DatabaseError> {
    Ok(sqlx::query_scalar(
        "select coalesce(sum(c.seq - coalesce(a.seq, 0)), 0)::bigint
           from audit_chains c left join audit_anchors a on a.chain = c.chain
          where $1::uuid is null or c.chain = $1",
    )
    .bind(chain)
    .fetch_one(tx)
    .await?)
}

/// Chains without a row, though they had more than an anchor accounts for, with the number of the anchor (or 0).
///
/// # Errors
/// The database's, and a row that cannot be read.
pub async fn list_emptied(
    tx: &mut SystemTx,
    after: Option<Uuid>,
    chain: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Head, i64)>, DatabaseError> {
    #[derive(FromRow)]
    struct EmptiedRow {
        #[sqlx(flatten)]
        head: HeadRow,
        anchor_seq: i64,
    }
    let rows: Vec<EmptiedRow> = sqlx::query_as(
        "select c.chain, c.scope, c.seq, c.hash, coalesce(a.seq, 0) as anchor_seq
           from audit_chains c left join audit_anchors a on a.chain = c.chain
          where ($1::uuid is null or c.chain > $1) and ($2::uuid is null or c.chain = $2)
            and c.seq > coalesce(a.seq, 0)
            and not exists (select from audit_events e where e.chain = c.chain and e.seq is not null)
          order by c.chain limit $3",
    )
    .bind(after)
    .bind(chain)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.head.try_into()?, row.anchor_seq)))
        .collect()
}

/// A row that nobody has sealed.
#[derive(Debug, Clone, FromRow)]
pub struct LateRow {
    id: Uuid,
    organization_id: Option<Uuid>,
    user_id: Option<Uuid>,
    /// When it was written.
    pub at: DateTime<Utc>,
}

impl LateRow {
    /// Which row.
    #[must_use]
    pub fn event(&self) -> AuditEventId {
        AuditEventId::from_uuid(self.id)
    }

    /// Which chain.
    #[must_use]
    pub fn chain(&self) -> Chain {
        chain_of(self.organization_id, self.user_id)
    }
}

/// Rows written before that which have no seal, or one that is in no chain, the oldest first.
///
/// # Errors
/// The database's.
pub async fn list_late(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    chain: Option<Uuid>,
    limit: i64,
) -> Result<Vec<LateRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, organization_id, user_id, greatest(at, '0001-01-01 UTC') as at
           from (select * from audit_events where seq is null and at < $1
                 union all
                 select * from audit_events where seq is not null and chain is null) late
          where $2::uuid is null
             or coalesce(organization_id, user_id, '00000000-0000-0000-0000-000000000000') = $2
          order by at, id limit $3",
    )
    .bind(before)
    .bind(chain)
    .bind(limit)
    .fetch_all(tx)
    .await?)
}

/// Of chains that were signed up to these numbers: the first row behind, where it was written before that.
///
/// # Errors
/// The database's.
pub async fn list_unsigned(
    tx: &mut SystemTx,
    signed: &[(Uuid, i64)],
    before: DateTime<Utc>,
) -> Result<Vec<(Uuid, i64)>, DatabaseError> {
    let (chains, numbers): (Vec<Uuid>, Vec<i64>) = signed.iter().copied().unzip();
    Ok(sqlx::query_as(
        "select s.chain, next.seq
           from unnest($1::uuid[], $2::bigint[]) s (chain, seq)
          cross join lateral (
                select e.seq, e.at from audit_events e
                 where e.chain = s.chain and e.seq > s.seq order by e.seq limit 1) next
          where next.at < $3 order by s.chain",
    )
    .bind(&chains)
    .bind(&numbers)
    .bind(before)
    .fetch_all(tx)
    .await?)
}

/// What is there of a row that was signed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// It is there, with this hash; none where that was removed.
    Stands(Option<ChainHash>),
    /// It is the last row that was dropped, and had this hash.
    Anchored(ChainHash),
    /// It was dropped before the last one that was.
    Dropped,
    /// It is not there.
    Gone,
}

#[derive(FromRow)]
struct SignedRow {
    seq: i64,
    is_there: bool,
    hash: Option<Vec<u8>>,
    anchor_seq: Option<i64>,
    anchor_hash: Option<Vec<u8>>,
}

/// What is there of each of these rows, in their order.
///
/// # Errors
/// The database's.
pub async fn find_signed(tx: &mut SystemTx, heads: &[Head]) -> Result<Vec<Signed>, DatabaseError> {
    let chains: Vec<Uuid> = heads.iter().map(|head| head.chain.uuid()).collect();
    let numbers: Vec<i64> = heads.iter().map(|head| head.seq).collect();
    let rows: Vec<SignedRow> = sqlx::query_as(
        "select s.seq, e.id is not null as is_there, e.hash, a.seq as anchor_seq, a.hash as anchor_hash
           from unnest($1::uuid[], $2::bigint[]) with ordinality s (chain, seq, place)
           left join audit_events e on e.chain = s.chain and e.seq = s.seq
           left join audit_anchors a on a.chain = s.chain
          order by s.place",
    )
    .bind(&chains)
    .bind(&numbers)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(SignedRow::read).collect())
}

impl SignedRow {
    fn read(self) -> Signed {
        let hash = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| ChainHash::try_from(bytes.as_slice()).ok());
        match self.anchor_seq {
            _ if self.is_there => Signed::Stands(hash(self.hash)),
            Some(anchor) if anchor > self.seq => Signed::Dropped,
            Some(anchor) if anchor == self.seq => hash(self.anchor_hash).map_or(Signed::Gone, Signed::Anchored),
            _ => Signed::Gone,
        }
    }
}
