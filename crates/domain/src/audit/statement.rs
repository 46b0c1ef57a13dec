//! What is signed about a chain.

use chrono::{DateTime, Utc};

use super::{Chain, ChainHash, encoding::Encoding};
use crate::ids::InstallationId;

/// What a signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// The chain ended so at that time: it may only grow.
    Checkpoint,
    /// The chain was dropped up to there, by its age.
    Anchor,
}

/// A row of a chain, by number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which chain.
    pub chain: Chain,
    /// The row's number.
    pub seq: i64,
    /// Its hash, which stands for all rows before it, too.
    pub hash: ChainHash,
}

/// The bytes that are signed: parts behind their lengths, as in a record. The time counts to the microsecond.
#[must_use]
pub fn statement(kind: StatementKind, installation: InstallationId, head: &Head, at: DateTime<Utc>) -> Vec<u8> {
    let mut encoding = Encoding::of(match kind {
        StatementKind::Checkpoint => "tenantry audit checkpoint 1",
        StatementKind::Anchor => "tenantry audit anchor 1",
    });
    encoding.field("installation", installation.uuid().as_bytes());
    encoding.field("chain", head.chain.to_string().as_bytes());
    encoding.field("seq", &head.seq.to_be_bytes());
    encoding.field("hash", head.hash.as_bytes());
    encoding.field("at", &at.timestamp_micros().to_be_bytes());
    encoding.into_bytes()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::ids::{OrganizationId, UserId};

    #[test]
    fn every_part_of_a_statement_counts() {
        let id = Uuid::from_u128(1);
        let head = Head {
            chain: Chain::Organization(OrganizationId::from_uuid(id)),
            seq: 1,
            hash: ChainHash::NOTHING,
        };
        let (ours, at) = (InstallationId::from_uuid(id), DateTime::UNIX_EPOCH);
        let other = ChainHash::try_from([1; 32].as_slice()).unwrap();
        let user = Chain::User(UserId::from_uuid(id));
        let statements = [
            statement(StatementKind::Checkpoint, ours, &head, at),
            statement(StatementKind::Anchor, ours, &head, at),
            statement(
                StatementKind::Checkpoint,
                InstallationId::from_uuid(Uuid::nil()),
                &head,
                at,
            ),
            statement(StatementKind::Checkpoint, ours, &Head { chain: user, ..head }, at),
            statement(StatementKind::Checkpoint, ours, &Head { seq: 2, ..head }, at),
            statement(StatementKind::Checkpoint, ours, &Head { hash: other, ..head }, at),
            statement(StatementKind::Checkpoint, ours, &head, at + TimeDelta::microseconds(1)),
        ];
        for (n, one) in statements.iter().enumerate() {
            assert!(!statements[n + 1..].contains(one), "{n}");
        }
    }
}
