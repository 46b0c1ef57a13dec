mod database;
mod server;
mod stall;
mod world;

pub(crate) use database::{Scratch, eventually};
pub(crate) use stall::Stall;
pub(crate) use world::{Fault, Faults, Ledger, MAX_ATTEMPTS, NAMES, Sequence, World, brisk, note, registry, steady};
