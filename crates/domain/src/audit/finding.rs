//! What `verify` finds, told so that somebody can go and look.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Chain;
use crate::ids::AuditEventId;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// A row is not what was sealed: a column of it, or its seal.
    Changed {
        /// Which chain.
        chain: Chain,
        /// Which of its rows.
        seq: i64,
        /// The row's id.
        event: AuditEventId,
    },
    /// A row is whole in itself and does not continue the one before: one of the two was put there later.
    Unlinked {
        /// Which chain.
        chain: Chain,
        /// Which of its rows.
        seq: i64,
        /// The row's id.
        event: AuditEventId,
    },
    /// A row has a number that another one has, or that lies in a beginning that was dropped.
    OutOfPlace {
        /// Which chain.
        chain: Chain,
        /// The number.
        seq: i64,
        /// The row's id.
        event: AuditEventId,
    },
    /// Rows are missing.
    Gap {
        /// Which chain.
        chain: Chain,
        /// The first that is missing.
        from: i64,
        /// The last that is missing.
        to: i64,
    },
    /// The chain was longer.
    TailCut {
        /// Which chain.
        chain: Chain,
        /// The last row that is left; 0 when none is.
        last: i64,
        /// The last row that there was.
        expected: i64,
    },
    /// Rows come after the end that was noted when the chain was sealed: somebody else than a server put them there, or removed
    /// the note.
    Unaccounted {
        /// Which chain.
        chain: Chain,
        /// The first of them.
        from: i64,
        /// The last of them.
        to: i64,
    },
    /// Nobody has sealed a row, though it is more than a minute old.
    Unsealed {
        /// Which chain.
        chain: Chain,
        /// The row's id.
        event: AuditEventId,
        /// When it was written.
        at: DateTime<Utc>,
    },
    /// A row is gone that a checkpoint has signed.
    Vanished {
        /// Which chain.
        chain: Chain,
        /// Which of its rows.
        seq: i64,
        /// When it was signed.
        signed_at: DateTime<Utc>,
    },
    /// A row has another hash than a checkpoint has signed: everything up to there may have been written anew.
    Rewritten {
        /// Which chain.
        chain: Chain,
        /// Which of its rows.
        seq: i64,
        /// When it was signed.
        signed_at: DateTime<Utc>,
    },
    /// None of the checkpoints vouches for the end of a chain, though it is not that young: nobody signs it, or checkpoints
    /// are missing.
    Unsigned {
        /// Which chain.
        chain: Chain,
        /// The first row behind what was signed.
        from: i64,
        /// The last row.
        to: i64,
    },
    /// A checkpoint was not signed by this installation, or changed since.
    ForgedCheckpoint {
        /// Where it stands: file and line.
        place: String,
    },
    /// A beginning was dropped, and what should vouch for it was not signed by this installation.
    ForgedAnchor {
        /// Which chain.
        chain: Chain,
        /// Up to where it says that rows were dropped.
        seq: i64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { chain, seq, event } => {
                write!(f, "{chain}: row {seq} ({event}) is not what was sealed")
            }
            Self::Unlinked { chain, seq, event } => {
                write!(f, "{chain}: row {seq} ({event}) does not continue the row before it")
            }
            Self::OutOfPlace { chain, seq, event } => {
                write!(
                    f,
                    "{chain}: {event} has the number {seq}, which is taken or was dropped"
                )
            }
            Self::Gap { chain, from, to } if from == to => write!(f, "{chain}: row {from} is missing"),
            Self::Gap { chain, from, to } => write!(f, "{chain}: rows {from} to {to} are missing"),
            Self::TailCut { chain, last, expected } => {
                write!(
                    f,
                    "{chain}: ends at row {last}, and had {expected}: its tail was cut off"
                )
            }
            Self::Unaccounted { chain, from, to } => {
                write!(
                    f,
                    "{chain}: rows {from} to {to} were not sealed by a server, or the note that it did is gone"
                )
            }
            Self::Unsealed { chain, event, at } => {
                write!(f, "{chain}: {event}, written at {}, has not been sealed", second(*at))
            }
            Self::Vanished { chain, seq, signed_at } => {
                write!(
                    f,
                    "{chain}: row {seq}, which was signed at {}, is gone",
                    second(*signed_at)
                )
            }
            Self::Rewritten { chain, seq, signed_at } => write!(
                f,
                "{chain}: row {seq} has another hash than was signed at {}: it, or rows before it, were written anew",
                second(*signed_at)
            ),
            Self::Unsigned { chain, from, to } => {
                write!(
                    f,
                    "{chain}: no checkpoint that was given vouches for rows {from} to {to}"
                )
            }
            Self::ForgedCheckpoint { place } => {
                write!(
                    f,
                    "{place}: this checkpoint was changed, or is not of this installation"
                )
            }
            Self::ForgedAnchor { chain, seq } => {
                write!(
                    f,
                    "{chain}: what vouches for the rows dropped up to {seq} is not signed by this installation"
                )
            }
        }
    }
}

fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
