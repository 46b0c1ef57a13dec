//! `--wait`: following operations to their end.

use std::{collections::HashSet, time::Duration};

use tenantry_app::{
    App,
    provisioning::{Deprovision, Reader, StepViewState, find_operation, find_tenant},
};
use tenantry_domain::ids::{OperationId, TenantId};
use tenantry_operations::Operation;

use super::{fault, show::step_line};
use crate::{
    cli::Output,
    exit::{Failure, FailureKind},
    print::print_line,
};

const PAUSE: Duration = Duration::from_millis(250);

/// Prints steps as they end. An operation that did not succeed is a failure, with its reason.
pub(super) async fn until_ended(app: &App, id: OperationId, output: Output) -> Result<(), Failure> {
    let mut printed = HashSet::new();
    loop {
        let operation = find_operation(app, Reader::Operator, id)
            .await
            .map_err(fault)?
            .ok_or_else(|| Failure::new(FailureKind::NotFound, format!("there is no operation {id}")))?;
        if output == Output::Text {
            let ended = [StepViewState::Done, StepViewState::Failed, StepViewState::Undone];
            for step in operation.steps.iter().filter(|step| ended.contains(&step.state)) {
                if printed.insert((step.name.clone(), step.state as u8)) {
                    print_line(&step_line(step))?;
                }
            }
        }
        match operation.state.as_str() {
            "done" => return Ok(()),
            "undone" | "stuck" => {
                let reason = operation.failure.map_or_else(
                    || operation.state.clone(),
                    |failure| format!("{} ({})", failure.detail, failure.code),
                );
                return Err(Failure::new(
                    FailureKind::Failed,
                    format!("{id} is {}: {reason}", operation.state),
                ));
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The removal that follows what is at work on a tenant, once that has ended, well or not.
pub(super) async fn until_removal_is_queued(app: &App, id: TenantId) -> Result<OperationId, Failure> {
    loop {
        let tenant = find_tenant(app, Reader::Operator, id)
            .await
            .map_err(fault)?
            .ok_or_else(|| Failure::new(FailureKind::NotFound, format!("there is no tenant {id}")))?;
        let removal = tenant
            .operations
            .iter()
            .find(|operation| operation.kind == Deprovision::KIND);
        match removal {
            Some(removal) => return Ok(removal.id),
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
