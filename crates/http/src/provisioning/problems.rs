//! What these endpoints refuse.

use tenantry_app::provisioning::{CheckNameError, StartError};

use crate::{
    Problem,
    problem::{FieldProblem, kinds},
    problem_kinds,
};

problem_kinds! {
    NAME_TAKEN = 409 "name_taken": "The name is taken", "Choose another name.";
    NAME_INVALID = 422 "name_invalid": "The name cannot be used", "Use 3 to 63 letters, digits and hyphens.";
    NAME_RESERVED = 422 "name_reserved": "The name is reserved", "Choose another name.";
    OPERATION_IN_PROGRESS = 409 "operation_in_progress": "Another operation has not ended", "Wait until it has ended, or retry it where it is stuck.";
    NOTHING_TO_RETRY = 409 "nothing_to_retry": "There is nothing to retry", "Only what is stuck or has failed can be retried.";
    NOT_ENTITLED = 409 "not_entitled": "The subscription does not allow this", "See to the payment first.";
    TENANT_STATE = 409 "tenant_state": "The tenant is in no state for this", "Look at its state first.";
    TOO_MANY_STREAMS = 429 "too_many_streams": "Too many live views are open", "Close some, or look without one.";
    PLAN_UNKNOWN = 422 "plan_unknown": "No such plan", "Name a product that runs as tenants and one of its plans.";
    NOT_CONFIRMED = 422 "not_confirmed": "Not confirmed", "Repeat the tenant's name in confirm.";
}

/// A name that cannot be used, as a problem with the field `pointer`.
pub(crate) fn name_problem(error: &CheckNameError, pointer: &str) -> Problem {
    let kind = match error.code() {
        "name_taken" => NAME_TAKEN,
        "name_reserved" => NAME_RESERVED,
        _ => NAME_INVALID,
    };
    let detail = error.to_string();
    Problem::new(kind, detail.clone()).with_errors(vec![FieldProblem {
        pointer: pointer.to_owned(),
        code: kind.code.to_owned(),
        detail,
    }])
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::TenantUnknown | StartError::OperationUnknown => Self::of(kinds::NOT_FOUND),
            StartError::PlanUnknown => Self::new(PLAN_UNKNOWN, error.to_string()),
            StartError::IllegalMove(illegal) => Self::new(TENANT_STATE, format!("{illegal}.")),
            StartError::AlreadyRunning { .. } => Self::of(OPERATION_IN_PROGRESS),
            StartError::NothingToRetry => Self::of(NOTHING_TO_RETRY),
            StartError::NotEntitled => Self::of(NOT_ENTITLED),
            StartError::Name(error) => name_problem(&error, "/name"),
            StartError::NotConfirmed { .. } => Self::of(NOT_CONFIRMED),
            StartError::Fault(fault) => fault.into(),
        }
    }
}
