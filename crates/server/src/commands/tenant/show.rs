//! One tenant, its latest operation, and the trace that led to it.

use serde_json::json;
use tenantry_app::{
    App,
    provisioning::{OperationView, Reader, StepView, StepViewState, TenantView, find_operation, find_tenant},
};
use tenantry_domain::ids::TenantId;

use super::fault;
use crate::{
    cli::Output,
    exit::{Failure, FailureKind},
    print::{print_json, print_line},
};

/// Prints the tenant.
pub(super) async fn run(app: &App, id: TenantId, trace: bool, output: Output) -> Result<(), Failure> {
    let tenant = find_tenant(app, Reader::Operator, id)
        .await
        .map_err(fault)?
        .ok_or_else(|| Failure::new(FailureKind::NotFound, format!("there is no tenant {id}")))?;
    let latest = match tenant.operations.first() {
        Some(summary) => find_operation(app, Reader::Operator, summary.id).await.map_err(fault)?,
        None => None,
    };
    let spans = match trace {
        true => tenantry_app::trace::of_tenant(app, id).await.map_err(fault)?,
        false => Vec::new(),
    };
    if output == Output::Json {
        return print_json(&json!({"tenant": tenant, "operation": latest, "trace": spans}));
    }
    print_tenant(&tenant)?;
    if let Some(operation) = latest {
        print_operation(&operation)?;
    }
    if trace {
        print_line("\ntrace")?;
        if spans.is_empty() {
            print_line("  none: no payment led to this tenant")?;
        }
        for span in spans {
            print_line(&format!(
                "  {}  {:<11} {}  {}",
                span.at.format("%H:%M:%S%.3f"),
                span.kind,
                span.trace_id,
                span.what
            ))?;
        }
    }
    Ok(())
}

fn print_tenant(tenant: &TenantView) -> Result<(), Failure> {
    let state = match &tenant.state_reason {
        Some(reason) => format!("{}: {}", tenant.state.as_str(), reason.detail),
        None => tenant.state.as_str().to_owned(),
    };
    let rows = [
        ("tenant", tenant.id.to_string()),
        ("state", state),
        ("wanted", tenant.desired.as_str().to_owned()),
        ("address", tenant.url.clone().unwrap_or_else(|| "none".into())),
        ("product", format!("{}, plan {}", tenant.product, tenant.plan)),
        ("organization", tenant.organization.to_string()),
        ("namespace", tenant.namespace.clone()),
        ("release", tenant.release.clone()),
        ("created", tenant.created_at.to_rfc3339()),
    ];
    rows.iter()
        .try_for_each(|(name, value)| print_line(&format!("{name:<13} {value}")))?;
    match tenant.retry_at {
        Some(at) => print_line(&format!("{:<13} {}", "next attempt", at.to_rfc3339())),
        None => Ok(()),
    }
}

fn print_operation(operation: &OperationView) -> Result<(), Failure> {
    print_line(&format!(
        "\n{} {}: {} ({})",
        operation.kind, operation.id, operation.state, operation.cause
    ))?;
    operation
        .steps
        .iter()
        .try_for_each(|step| print_line(&step_line(step)))?;
    match &operation.failure {
        Some(failure) => print_line(&format!("  {} ({})", failure.detail, failure.code)),
        None => Ok(()),
    }
}

/// What a customer reads, and what the other side said.
fn words(obstacle: &tenantry_app::provisioning::Failure) -> String {
    match &obstacle.technical {
        Some(technical) => format!("{} ({technical})", obstacle.detail),
        None => obstacle.detail.clone(),
    }
}

/// One step in one line: state, time, title, and what stands in the way.
pub(super) fn step_line(step: &StepView) -> String {
    let state = match step.state {
        StepViewState::Pending => "to come",
        StepViewState::Running => "at work",
        StepViewState::Waiting => "waiting",
        StepViewState::Done => "done",
        StepViewState::Failed => "failed",
        StepViewState::Undoing => "undoing",
        StepViewState::Undone => "undone",
    };
    let took = step
        .duration
        .map(|took| format!("{:.1} s", took.as_secs_f64()))
        .unwrap_or_default();
    let obstacle = step
        .failure
        .as_ref()
        .map(|failure| format!(": {} ({})", failure.detail, failure.code))
        .or_else(|| {
            step.waiting_for
                .as_ref()
                .map(|obstacle| format!(": for {}", words(obstacle)))
        })
        .unwrap_or_default();
    format!("  {state:<8} {took:>8}  {}{obstacle}", step.title)
}
