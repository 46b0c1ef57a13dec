//! An installation of Tenantry for a test: its parts, its customers, its servers, and an auditor of what is left.

mod auditor;
mod catalog;
mod cluster;
mod customer;
mod installation;
mod ledger;
mod server;
mod span_receiver;
mod stripe;

pub(crate) use auditor::audit;
pub(crate) use catalog::STARTER;
pub(crate) use customer::Customer;
pub(crate) use installation::Installation;
pub(crate) use ledger::Record;
pub(crate) use span_receiver::SpanReceiver;

use std::time::Duration;

use self::{cluster::Kubernetes, ledger::Ledger, server::Server};

/// How long anything may take that takes seconds on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A name that no other test uses, fit for hosts and addresses.
pub(crate) fn unique(prefix: &str) -> String {
    // The end of a UUIDv7 is random.
    let random = uuid::Uuid::now_v7().simple().to_string();
    format!("{prefix}-{}", &random[20..])
}
