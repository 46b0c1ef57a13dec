//! What a step says when something outside went wrong.

use std::time::Duration;

use tenantry_domain::provisioning::{ClusterError, Remedy};
use tenantry_operations::{Failure, StepError};
use tenantry_postgres::DatabaseError;

use crate::error::Fault;

pub(super) const NEEDS_MORE: &str = "The site needs more than its plan provides.";

/// How soon to ask again for what passes by itself.
const SOON: Duration = Duration::from_millis(500);

/// The step's answer to an error of the cluster.
pub(super) fn of_cluster(error: ClusterError) -> StepError {
    if error == ClusterError::Superseded {
        return StepError::Superseded;
    }
    match error.remedy() {
        Remedy::NotYet => Failure::new(error.code(), awaited(&error))
            .technical(&error)
            .into_not_yet(SOON),
        Remedy::Retry => failure(&error).into_retry(),
        Remedy::GiveUp => failure(&error).into_give_up(),
    }
}

fn failure(error: &ClusterError) -> Failure {
    Failure::new(error.code(), customer_detail(error)).technical(format_args!("{error}\n{}", error.mend()))
}

/// For the customer: no names of machines, no advice that only an operator can follow.
fn customer_detail(error: &ClusterError) -> &'static str {
    match error {
        ClusterError::Unreachable { .. }
        | ClusterError::Timeout { .. }
        | ClusterError::Busy { .. }
        | ClusterError::Unauthenticated { .. } => "The place where sites run did not answer.",
        ClusterError::Forbidden { .. } => "Setting this up was not permitted by the place where sites run.",
        ClusterError::NamespaceNotOurs { .. } => "The place reserved for this site is occupied by something else.",
        ClusterError::QuotaExceeded { .. } => NEEDS_MORE,
        ClusterError::ChartDoesNotRender { .. } | ClusterError::ChartMissing { .. } => {
            "The product's description of what to run is faulty."
        }
        _ => "The place where sites run did not accept a part of this site.",
    }
}

/// For the customer: what has to happen first.
fn awaited(error: &ClusterError) -> &'static str {
    match error {
        ClusterError::NamespaceTerminating { .. } => "what was there before to be cleared away",
        ClusterError::ReleaseBusy { .. } => "another change of this site to end",
        _ => "the place where sites run",
    }
}

/// The step's answer to an error of the ledger: it passes, or the engine cannot run either.
pub(super) fn of_database(error: DatabaseError) -> StepError {
    Failure::new("database_unavailable", "Our database did not answer as expected.")
        .technical(error)
        .into_retry()
}

/// The step's answer to a failed use case.
pub(super) fn of_fault(error: Fault) -> StepError {
    match error {
        Fault::Database(error) => of_database(error),
        other => Failure::new("internal_error", "A part of ours failed.")
            .technical(other)
            .into_retry(),
    }
}
