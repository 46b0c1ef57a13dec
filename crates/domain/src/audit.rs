//! What makes the log of who did what show what was done to it: chains of hashes, signed ends, and the walk that finds what
//! does not fit. Pure; who keeps the rows and the key is elsewhere.

mod chain;
mod encoding;
mod finding;
mod record;
mod statement;
mod walk;

pub use self::{
    chain::{Chain, UnknownChain},
    finding::Finding,
    record::{ChainHash, ENCODED_COLUMNS, InvalidHash, Position, Record, encode, hash},
    statement::{Head, StatementKind, statement},
    walk::{Link, Walk},
};
