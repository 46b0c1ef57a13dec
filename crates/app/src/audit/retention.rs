//! Dropping what has become old. What is left of it is an anchor: number and hash of the last row that went, signed, so that
//! the rest can still be verified, and nobody else can drop anything unnoticed.

use chrono::{SubsecRound, TimeDelta};
use tenantry_domain::audit::{Head, StatementKind, statement};
use tenantry_postgres::audit::anchors::{self, Anchor};

use super::log_key::LogKey;
use crate::{App, error::Fault};

/// Chains that are shortened in one transaction, and rows of each.
const CHAINS: u16 = 100;
const ROWS: i64 = 1_000;

/// Drops the beginnings of chains that are older than that; returns how many rows went. Nothing while another server is at
/// it, or somebody verifies the log.
///
/// # Errors
/// When the ledger does not answer, and when something is to be dropped that is younger than a year.
pub async fn drop_old(app: &App, keep_for: TimeDelta) -> Result<u64, Fault> {
    let key = LogKey::of(app)?;
    let mut dropped = 0;
    while let Some(rows) = drop_batch(app, &key, keep_for).await? {
        dropped += rows;
    }
    Ok(dropped)
}

/// `None` when there is nothing to do.
async fn drop_batch(app: &App, key: &LogKey, keep_for: TimeDelta) -> Result<Option<u64>, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    let mut tx = app.database.system("drop what is old from the audit log").await?;
    let beginnings = if anchors::take_turn(&mut tx).await? {
        anchors::list_old(&mut tx, now - keep_for, CHAINS.into(), ROWS).await?
    } else {
        Vec::new()
    };
    if beginnings.is_empty() {
        tx.rollback().await?;
        return Ok(None);
    }
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
