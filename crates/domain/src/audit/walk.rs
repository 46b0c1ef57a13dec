//! Going along a chain, row by row.

use std::cmp::Ordering;

use super::{Chain, ChainHash, Finding};
use crate::ids::AuditEventId;

/// What a row says of its place, and what its content amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub seq: i64,
    /// The row's id.
    pub event: AuditEventId,
    /// What it says of the row before; none where even that was removed.
    pub prev_hash: Option<ChainHash>,
    /// What it says of itself.
    pub hash: Option<ChainHash>,
    /// The hash of what stands in it now.
    pub computed: ChainHash,
}

/// Where the walk along one chain has come to.
#[derive(Debug, Clone)]
pub struct Walk {
    chain: Chain,
    seq: i64,
    /// What the next row may say of this one: what this one says, or, where that was changed, what it should say.
    hashes: [Option<ChainHash>; 2],
}

impl Walk {
    /// Before the first row; or behind what an anchor vouches for.
    #[must_use]
    pub fn begin(chain: Chain, anchor: Option<(i64, ChainHash)>) -> Self {
        let (seq, hash) = anchor.unwrap_or((0, ChainHash::NOTHING));
        Self {
            chain,
            seq,
            hashes: [Some(hash), None],
        }
    }

    /// Which chain this is.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// One row further, in the order of numbers. What was found of one row does not speak against the next.
    pub fn step(&mut self, link: &Link, found: &mut impl FnMut(Finding)) {
        let (chain, Link { seq, event, .. }) = (self.chain, *link);
        let is_changed = link.hash != Some(link.computed) || link.prev_hash.is_none();
        if is_changed {
            found(Finding::Changed { chain, seq, event });
        }
        if seq <= self.seq {
            found(Finding::OutOfPlace { chain, seq, event });
            return;
        }
        let next = self.seq + 1;
        if seq > next {
            found(Finding::Gap {
                chain,
                from: next,
                to: seq - 1,
            });
        } else if !is_changed && !self.hashes.contains(&link.prev_hash) {
            found(Finding::Unlinked { chain, seq, event });
        }
        self.seq = seq;
        self.hashes = [link.hash, Some(link.computed)];
    }

    /// At its end, which was noted to be at `expected` in the transaction that sealed it; not at all, where that was removed.
    pub fn end(self, expected: Option<i64>, found: &mut impl FnMut(Finding)) {
        let (chain, last, expected) = (self.chain, self.seq, expected.unwrap_or(0));
        match expected.cmp(&last) {
            Ordering::Equal => {}
            Ordering::Greater => found(Finding::TailCut { chain, last, expected }),
            Ordering::Less => found(Finding::Unaccounted {
                chain,
                from: expected + 1,
                to: last,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn hash(n: u8) -> ChainHash {
        ChainHash::try_from([n; 32].as_slice()).unwrap()
    }

    fn event(n: i64) -> AuditEventId {
        AuditEventId::from_uuid(Uuid::from_u128(n.unsigned_abs().into()))
    }

    /// Row `n` has the hash `n`, the way it is sealed.
    fn link(n: u8) -> Link {
        Link {
            seq: n.into(),
            event: event(n.into()),
            prev_hash: Some(hash(n - 1)),
            hash: Some(hash(n)),
            computed: hash(n),
        }
    }

    fn walk(anchor: Option<(i64, ChainHash)>, links: &[Link], expected: Option<i64>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut walk = Walk::begin(Chain::System, anchor);
        for link in links {
            walk.step(link, &mut |finding| found.push(finding));
        }
        walk.end(expected, &mut |finding| found.push(finding));
        found
    }

    #[test]
    fn a_whole_chain_has_nothing_to_find() {
        assert_eq!(walk(None, &[link(1), link(2), link(3)], Some(3)), []);
        assert_eq!(walk(Some((2, hash(2))), &[link(3), link(4)], Some(4)), []);
        assert_eq!(walk(Some((2, hash(2))), &[], Some(2)), []);
    }

    #[test]
    fn a_changed_row_is_named_and_no_other() {
        let (chain, seq, event) = (Chain::System, 2, event(2));
        let content = Link {
            computed: hash(9),
            ..link(2)
        };
        let hash_alone = Link {
            hash: Some(hash(9)),
            ..link(2)
        };
        let no_hash = Link { hash: None, ..link(2) };
        for changed in [content, hash_alone, no_hash] {
            let found = walk(None, &[link(1), changed, link(3)], Some(3));
            assert_eq!(found, [Finding::Changed { chain, seq, event }]);
        }
    }

    #[test]
    fn what_is_missing_is_named_by_its_numbers() {
        let chain = Chain::System;
        let gap = |from, to| Finding::Gap { chain, from, to };
        assert_eq!(walk(None, &[link(1), link(4)], Some(4)), [gap(2, 3)]);
        assert_eq!(walk(None, &[link(3)], Some(3)), [gap(1, 2)]);
        assert_eq!(walk(Some((1, hash(1))), &[link(3)], Some(3)), [gap(2, 2)]);
        let cut = |last, expected| Finding::TailCut { chain, last, expected };
        assert_eq!(walk(None, &[link(1)], Some(3)), [cut(1, 3)]);
        assert_eq!(walk(None, &[], Some(3)), [cut(0, 3)]);
    }

    #[test]
    fn rows_that_were_put_there_are_named() {
        let (chain, seq, event) = (Chain::System, 2, event(2));
        let foreign = Link {
            prev_hash: Some(hash(8)),
            ..link(2)
        };
        let found = walk(None, &[link(1), foreign, link(3)], Some(3));
        assert_eq!(found, [Finding::Unlinked { chain, seq, event }]);
        let found = walk(None, &[link(1), link(2), link(2), link(3)], Some(3));
        assert_eq!(found, [Finding::OutOfPlace { chain, seq, event }]);
        let (from, to) = (2, 3);
        let found = walk(None, &[link(1), link(2), link(3)], Some(1));
        assert_eq!(found, [Finding::Unaccounted { chain, from, to }]);
        let found = walk(None, &[link(1)], None);
        assert_eq!(found, [Finding::Unaccounted { chain, from: 1, to: 1 }]);
        // An anchor does not vouch for what follows another row.
        let found = walk(Some((1, hash(7))), &[link(2)], Some(2));
        assert_eq!(found, [Finding::Unlinked { chain, seq, event }]);
    }
}
