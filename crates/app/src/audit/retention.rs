//! Dropping what has become old. What is left of it is an anchor: number and hash of the last row that went, signed, so that
//! the rest can still be verified, and nobody else can drop anything unnoticed. What goes is verified before.

use chrono::{SubsecRound, TimeDelta};
use tenantry_domain::audit::{Finding, Head, StatementKind, Walk, statement};
use tenantry_postgres::{
    SystemTx,
    audit::{
        anchors::{self, Anchor, OldBeginning},
        verification,
    },
};
use uuid::Uuid;

use super::{log_key::LogKey, verification::link};
use crate::{App, error::Fault};

/// Chains that are shortened in one transaction, and rows of each.
const CHAINS: u16 = 100;
const ROWS: i64 = 1_000;

/// Drops the beginnings of chains that are older than that; returns how many rows went. Nothing while another server is at
/// it, or somebody verifies the log. A beginning that is not what was written stays, and with it what shows that.
///
/// # Errors
/// When the ledger does not answer, and when something is to be dropped that is younger than a year.
pub async fn drop_old(app: &App, keep_for: TimeDelta) -> Result<u64, Fault> {
    let key = LogKey::of(app)?;
    let mut left_alone = Vec::new();
    let mut dropped = 0;
    while let Some(rows) = drop_batch(app, &key, keep_for, &mut left_alone).await? {
        dropped += rows;
    }
    Ok(dropped)
}

/// `None` when there is nothing to do.
async fn drop_batch(
    app: &App,
    key: &LogKey,
    keep_for: TimeDelta,
    left_alone: &mut Vec<Uuid>,
) -> Result<Option<u64>, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    let mut tx = app.database.system("drop what is old from the audit log").await?;
    let mut beginnings = if anchors::take_turn(&mut tx).await? {
        anchors::list_old(&mut tx, now - keep_for, CHAINS.into(), ROWS, left_alone).await?
    } else {
        Vec::new()
    };
    if beginnings.is_empty() {
        tx.rollback().await?;
        return Ok(None);
    }
    let suspect = find_suspect(app, key, &mut tx, &beginnings).await?;
    beginnings.retain(|beginning| !suspect.contains(&beginning.chain));
    left_alone.extend(suspect);
    let anchored: Vec<Anchor> = beginnings
        .iter()
        .filter_map(|beginning| beginning.last)
        .map(|head| Anchor {
            head,
            anchored_at: now,
            signature: key.sign(&statement(StatementKind::Anchor, app.settings.installation, &head, now)),
        })
        .collect();
    let dropped = anchors::drop_behind(&mut tx, &anchored).await?;
    anchors::note_first(&mut tx, &beginnings).await?;
    tx.commit().await?;
    Ok(Some(dropped))
}

/// Chains whose old beginning does not verify. How old a row is, is told by the row: an anchor over one that somebody changed
/// would make the change the truth, and dropping it would take away what shows it.
async fn find_suspect(
    app: &App,
    key: &LogKey,
    tx: &mut SystemTx,
    beginnings: &[OldBeginning],
) -> Result<Vec<Uuid>, Fault> {
    let mut suspect = Vec::new();
    for head in beginnings.iter().filter_map(|beginning| beginning.last) {
        if let Some(finding) = look_at(app, key, tx, head).await? {
            tracing::error!(%finding, "the audit log is not what was written: nothing of this chain is dropped");
            suspect.push(head.chain.uuid());
        }
    }
    Ok(suspect)
}

/// The first thing that does not fit in a chain up to there.
async fn look_at(app: &App, key: &LogKey, tx: &mut SystemTx, last: Head) -> Result<Option<Finding>, Fault> {
    let (chain, id) = (last.chain, last.chain.uuid());
    let before = anchors::list(tx, None, Some(id), 1).await?.pop();
    if let Some(anchor) = before.as_ref().filter(|anchor| !is_ours(app, key, anchor)) {
        let seq = anchor.head.seq;
        return Ok(Some(Finding::ForgedAnchor { chain, seq }));
    }
    let mut found = None;
    let mut note = |finding| {
        found.get_or_insert(finding);
    };
    let mut walk = Walk::begin(chain, before.map(|anchor| (anchor.head.seq, anchor.head.hash)));
    let rows = verification::list_sealed(tx, (id, i64::MIN), Some(id), ROWS).await?;
    let mut end = None;
    for row in rows.iter().take_while(|row| row.seq <= last.seq) {
        walk.step(&link(row), &mut note);
        end = row.hash();
    }
    if end != Some(last.hash) {
        let (from, to) = (last.seq, last.seq);
        note(Finding::Gap { chain, from, to });
    }
    Ok(found)
}

/// Whether an anchor was left by this installation.
pub(super) fn is_ours(app: &App, key: &LogKey, anchor: &Anchor) -> bool {
    let head: &Head = &anchor.head;
    let said = statement(
        StatementKind::Anchor,
        app.settings.installation,
        head,
        anchor.anchored_at,
    );
    key.has_signed(&said, &anchor.signature)
}
