//! Going through the log to see whether it is what was written.

use std::{collections::HashMap, io};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::audit::{Chain, Finding, Head, Link, Walk, hash};
use tenantry_postgres::{
    SystemTx,
    audit::{
        anchors, chains,
        verification::{self, Cursor, SealedRow, Signed},
    },
};
use uuid::Uuid;

use super::{checkpoints::Checkpoint, log_key::LogKey, retention};
use crate::{App, error::Fault};

/// Rows that are held at once.
const PAGE: u16 = 1_000;
/// By then every row is sealed.
const SEALED_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// What was gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Sealed rows.
    pub rows: u64,
    /// Chains with such rows.
    pub chains: u64,
    /// Beginnings that were dropped.
    pub anchors: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows so far.
    pub rows: u64,
    /// About how many there are.
    pub about: u64,
}

/// Goes through the log, or one chain of it. Memory does not grow with it. It may be written, sealed and signed meanwhile;
/// nothing is dropped.
///
/// # Errors
/// When the ledger does not answer, or holds what cannot be read at all.
pub async fn verify_log(
    app: &App,
    chain: Option<Chain>,
    mut found: impl FnMut(Finding),
    mut progress: impl FnMut(Progress),
) -> Result<LogCounts, Fault> {
    let key = LogKey::of(app)?;
    let id = chain.map(Chain::uuid);
    let mut tx = app.database.read_system("verify the audit log").await?;
    anchors::hold_off(&mut tx).await?;
    let mut counts = walk_along(&mut tx, id, &mut found, &mut progress).await?;
    find_emptied(&mut tx, id, &mut found).await?;
    counts.anchors = look_at_anchors(app, &key, &mut tx, id, &mut found).await?;
    let late = verification::list_late(&mut tx, app.clock.now() - SEALED_WITHIN, id, PAGE.into()).await?;
    for row in late {
        found(Finding::Unsealed {
            chain: row.chain(),
            event: row.event(),
            at: row.at,
        });
    }
    tx.commit().await?;
    Ok(counts)
}

async fn walk_along(
    tx: &mut SystemTx,
    chain: Option<Uuid>,
    found: &mut impl FnMut(Finding),
    progress: &mut impl FnMut(Progress),
) -> Result<LogCounts, Fault> {
    let about = verification::estimate(tx, chain).await?.unsigned_abs();
    let mut counts = LogCounts::default();
    let mut cursor: Cursor = (Uuid::nil(), i64::MIN);
    let mut current: Option<(Uuid, Walk, Option<i64>)> = None;
    loop {
        let page = verification::list_sealed(tx, cursor, chain, PAGE.into()).await?;
        for row in &page {
            let chain = row.row.chain_id();
            let (walk, end) = match current.take() {
                Some((id, walk, _)) if id == chain => (walk, row.end_seq),
                before => {
                    finish(before, found);
                    counts.chains += 1;
                    (Walk::begin(row.row.chain(), row.anchor()), row.end_seq)
                }
            };
            let (_, walk, _) = current.insert((chain, walk, end));
            walk.step(&link(row), found);
            cursor = (chain, row.seq);
        }
        counts.rows += page.len() as u64;
        progress(Progress {
            rows: counts.rows,
            about,
        });
        if page.len() < usize::from(PAGE) {
            finish(current, found);
            return Ok(counts);
        }
    }
}

fn finish(walk: Option<(Uuid, Walk, Option<i64>)>, found: &mut impl FnMut(Finding)) {
    if let Some((_, walk, end)) = walk {
        walk.end(end, found);
    }
}

pub(super) fn link(row: &SealedRow) -> Link {
    Link {
        seq: row.seq,
        event: row.row.event(),
        prev_hash: row.prev_hash(),
        hash: row.hash(),
        computed: hash(&row.row.record(), &row.position()),
    }
}

/// Chains that have lost every row.
async fn find_emptied(tx: &mut SystemTx, chain: Option<Uuid>, found: &mut impl FnMut(Finding)) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let page = verification::list_emptied(tx, after, chain, PAGE.into()).await?;
        for (head, last) in &page {
            found(Finding::TailCut {
                chain: head.chain,
                last: *last,
                expected: head.seq,
            });
        }
        match page.last() {
            Some((head, _)) if page.len() == usize::from(PAGE) => after = Some(head.chain.uuid()),
            _ => return Ok(()),
        }
    }
}

async fn look_at_anchors(
    app: &App,
    key: &LogKey,
    tx: &mut SystemTx,
    chain: Option<Uuid>,
    found: &mut impl FnMut(Finding),
) -> Result<u64, Fault> {
    let mut after = None;
    let mut count = 0;
    loop {
        let page = anchors::list(tx, after, chain, PAGE.into()).await?;
        count += page.len() as u64;
        for anchor in page.iter().filter(|anchor| !retention::is_ours(app, key, anchor)) {
            found(Finding::ForgedAnchor {
                chain: anchor.head.chain,
                seq: anchor.head.seq,
            });
        }
        match page.last() {
            Some(anchor) if page.len() == usize::from(PAGE) => after = Some(anchor.head.chain.uuid()),
            _ => return Ok(count),
        }
    }
}

/// What was read of checkpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckpointCounts {
    /// Compared with the log.
    pub checkpoints: u64,
    /// Of chains that were not asked for.
    pub of_other_chains: u64,
    /// Lines about something else.
    pub other_lines: u64,
}

/// A line, and where it stands.
pub type PlacedLine = io::Result<(String, String)>;

/// Compares the log, or one chain of it, with what was signed of it once, and tells what is older than that and was signed by
/// none of these lines. Of each chain the newest of them is kept in memory.
///
/// # Errors
/// When the ledger does not answer; and of the lines, as they are read.
pub async fn verify_checkpoints(
    app: &App,
    chain: Option<Chain>,
    lines: impl Iterator<Item = PlacedLine>,
    signed_within: TimeDelta,
    mut found: impl FnMut(Finding),
) -> Result<CheckpointCounts, CheckpointReadError> {
    let key = LogKey::of(app).map_err(Fault::from)?;
    let mut counts = CheckpointCounts::default();
    let mut newest: HashMap<Uuid, i64> = HashMap::new();
    let mut batch = Vec::with_capacity(PAGE.into());
    for line in lines {
        let (place, line) = line?;
        let Some(checkpoint) = Checkpoint::from_line(&line) else {
            counts.other_lines += u64::from(!line.trim().is_empty());
            continue;
        };
        if chain.is_some_and(|chain| chain != checkpoint.chain) {
            counts.of_other_chains += 1;
            continue;
        }
        counts.checkpoints += 1;
        if !checkpoint.is_signed_by(&key, app.settings.installation) {
            found(Finding::ForgedCheckpoint { place });
            continue;
        }
        let signed = newest.entry(checkpoint.chain.uuid()).or_default();
        *signed = checkpoint.seq.max(*signed);
        batch.push((checkpoint.head(), checkpoint.at));
        if batch.len() == usize::from(PAGE) {
            compare(app, &batch, &mut found).await?;
            batch.clear();
        }
    }
    compare(app, &batch, &mut found).await?;
    find_unsigned(app, chain, &newest, signed_within, &mut found).await?;
    Ok(counts)
}

/// Chains that go further than what was signed of them. That the servers noted to have signed them says nothing here.
async fn find_unsigned(
    app: &App,
    chain: Option<Chain>,
    newest: &HashMap<Uuid, i64>,
    signed_within: TimeDelta,
    found: &mut impl FnMut(Finding),
) -> Result<(), Fault> {
    let before = app.clock.now() - signed_within;
    let mut tx = app.database.read_system("look for what nobody signed").await?;
    let mut after = None;
    loop {
        let page = chains::list(&mut tx, after, chain.map(Chain::uuid), PAGE.into()).await?;
        let ends: HashMap<Uuid, Head> = page.iter().map(|head| (head.chain.uuid(), *head)).collect();
        let signed: Vec<(Uuid, i64)> = ends
            .values()
            .map(|head| (head, newest.get(&head.chain.uuid()).copied().unwrap_or(0)))
            .filter(|(head, signed)| *signed < head.seq)
            .map(|(head, signed)| (head.chain.uuid(), signed))
            .collect();
        for (chain, from) in verification::list_unsigned(&mut tx, &signed, before).await? {
            if let Some(Head { chain, seq: to, .. }) = ends.get(&chain).copied() {
                found(Finding::Unsigned { chain, from, to });
            }
        }
        match page.last() {
            Some(head) if page.len() == usize::from(PAGE) => after = Some(head.chain.uuid()),
            _ => break,
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Why checkpoints could not be compared with the log.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointReadError {
    /// The ledger.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The lines.
    #[error("the checkpoints cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

async fn compare(app: &App, batch: &[(Head, DateTime<Utc>)], found: &mut impl FnMut(Finding)) -> Result<(), Fault> {
    let heads: Vec<Head> = batch.iter().map(|(head, _)| *head).collect();
    let mut tx = app
        .database
        .read_system("compare the audit log with its checkpoints")
        .await?;
    let present = verification::find_signed(&mut tx, &heads).await?;
    tx.commit().await?;
    for ((Head { chain, seq, hash }, signed_at), present) in batch.iter().copied().zip(present) {
        match present {
            Signed::Dropped => {}
            Signed::Stands(Some(same)) | Signed::Anchored(same) if same == hash => {}
            Signed::Stands(_) | Signed::Anchored(_) => found(Finding::Rewritten { chain, seq, signed_at }),
            Signed::Gone => found(Finding::Vanished { chain, seq, signed_at }),
        }
    }
    Ok(())
}
