//! Giving each row of the log its place in a chain of hashes, after the transaction that wrote it: so nobody who acts waits
//! for anybody else, and the order is decided by one server at a time.

use std::collections::{BTreeMap, HashMap};

use tenantry_domain::audit::{ChainHash, Head, Position, hash};
use tenantry_postgres::audit::{
    RecordRow,
    seals::{self, GrownChain, Seal},
};
use uuid::Uuid;

use crate::{App, error::Fault};

/// Rows that are sealed in one transaction.
const BATCH: u16 = 1_000;

/// Seals what waits; returns how many rows that was. Nothing while another server is at it.
///
/// # Errors
/// When the ledger does not answer. What was sealed until then stays sealed.
pub async fn seal_log(app: &App) -> Result<u64, Fault> {
    let mut sealed = 0;
    loop {
        let batch = seal_batch(app).await?;
        sealed += batch as u64;
        if batch < usize::from(BATCH) {
            return Ok(sealed);
        }
    }
}

async fn seal_batch(app: &App) -> Result<usize, Fault> {
    let mut tx = app.database.system("seal the audit log").await?;
    let rows = if seals::take_turn(&mut tx).await? {
        seals::list_unsealed(&mut tx, BATCH.into()).await?
    } else {
        Vec::new()
    };
    if rows.is_empty() {
        // Now, and not when the connection is used next: the turn may be wanted.
        tx.rollback().await?;
        return Ok(0);
    }
    let mut chains: Vec<Uuid> = rows.iter().map(RecordRow::chain_id).collect();
    chains.sort_unstable();
    chains.dedup();
    let ends = seals::find_ends(&mut tx, &chains).await?;
    let (sealed, grown) = continue_chains(&rows, &ends);
    seals::write(&mut tx, &sealed, &grown).await?;
    tx.commit().await?;
    Ok(rows.len())
}

/// Puts each row behind the end of its chain. The chains that have grown are in their order.
fn continue_chains(rows: &[RecordRow], ends: &HashMap<Uuid, (i64, ChainHash)>) -> (Vec<Seal>, Vec<GrownChain>) {
    let mut grown: BTreeMap<Uuid, GrownChain> = BTreeMap::new();
    let mut sealed = Vec::with_capacity(rows.len());
    for row in rows {
        let chain = row.chain_id();
        let (last, prev_hash) = match grown.get(&chain) {
            Some(grown) => (grown.head.seq, grown.head.hash),
            None => ends.get(&chain).copied().unwrap_or((0, ChainHash::NOTHING)),
        };
        let position = Position {
            chain,
            seq: last + 1,
            prev_hash,
        };
        let hash = hash(&row.record(), &position);
        let head = Head {
            chain: row.chain(),
            seq: position.seq,
            hash,
        };
        grown
            .entry(chain)
            .and_modify(|grown| grown.head = head)
            .or_insert_with(|| GrownChain {
                head,
                first_at: row.at(),
            });
        sealed.push(Seal {
            event: row.event(),
            position,
            hash,
        });
    }
    (sealed, grown.into_values().collect())
}
