//! `tenantry tenant …`.

mod confirm;
mod show;
mod wait;

use serde_json::json;
use tenantry_app::{
    App,
    error::Fault,
    organizations,
    provisioning::{
        ProvisionRequest, Reader, StartError, Started, TenantView, list_tenants, provision_for_operator, remove, retry,
        search_tenants,
    },
};
use tenantry_domain::{
    ids::{OperationId, TenantId},
    provisioning::TenantState,
};
use tenantry_postgres::provisioning::tenants::TenantFilter;
use uuid::Uuid;

use super::operator::ACTOR;
use crate::{
    cli::{Output, TenantCommand},
    exit::{Failure, FailureKind},
    print::{print_json, print_line, print_table},
    wiring::Wired,
};

/// Runs one of the commands.
pub async fn run(wired: &Wired, command: TenantCommand) -> Result<(), Failure> {
    let app = &wired.app;
    match command {
        TenantCommand::List {
            state,
            search,
            limit,
            output,
        } => list(app, state, search, limit, output.output).await,
        TenantCommand::Show { tenant, trace, output } => {
            let tenant = one(app, &tenant).await?;
            show::run(app, tenant.id, trace, output.output).await
        }
        TenantCommand::Provision {
            organization,
            product,
            plan,
            name,
            wait,
            output,
        } => {
            let organization = organizations::find_for_operator(app, &organization)
                .await
                .map_err(fault)?
                .ok_or_else(|| {
                    Failure::new(
                        FailureKind::NotFound,
                        format!("there is no organization {organization}"),
                    )
                })?;
            let request = ProvisionRequest {
                id: TenantId::from_uuid(Uuid::now_v7()),
                organization,
                product: &product,
                plan: &plan,
                name: &name,
            };
            let (tenant, operation) = provision_for_operator(app, &request, ACTOR, None)
                .await
                .map_err(refused)?;
            started(app, tenant, operation, wait, output.output).await
        }
        TenantCommand::Retry { tenant, wait, output } => {
            let tenant = one(app, &tenant).await?;
            let operation = retry(app, tenant.id, ACTOR, None).await.map_err(refused)?;
            started(app, tenant.id, operation, wait, output.output).await
        }
        TenantCommand::Deprovision {
            tenant,
            yes,
            wait,
            output,
        } => {
            let tenant = one(app, &tenant).await?;
            if !yes {
                confirm::ask(&tenant)?;
            }
            let removal = remove(app, tenant.id, &tenant.name, ACTOR, None)
                .await
                .map_err(refused)?;
            removed(app, tenant.id, removal, wait, output.output).await
        }
    }
}

async fn list(
    app: &App,
    state: Option<String>,
    search: Option<String>,
    limit: u32,
    output: Output,
) -> Result<(), Failure> {
    let state = state
        .map(|text| {
            text.parse::<TenantState>().map_err(|_| {
                let states: Vec<&str> = TenantState::ALL.iter().map(|state| state.as_str()).collect();
                Failure::new(
                    FailureKind::Usage,
                    format!("{text} is not a state; states are {}", states.join(", ")),
                )
            })
        })
        .transpose()?;
    let filter = TenantFilter {
        state,
        search,
        after: None,
        limit: i64::from(limit),
    };
    let tenants = list_tenants(app, Reader::Operator, &filter).await.map_err(fault)?;
    match output {
        Output::Json => print_json(&tenants),
        Output::Text if tenants.is_empty() => print_line("no tenants"),
        Output::Text => {
            let rows: Vec<[String; 5]> = tenants
                .into_iter()
                .map(|tenant| {
                    let address = tenant.url.unwrap_or_else(|| tenant.name.clone());
                    [
                        tenant.id.to_string(),
                        tenant.state.as_str().to_owned(),
                        tenant.plan,
                        tenant.namespace,
                        address,
                    ]
                })
                .collect();
            print_table(["TENANT", "STATE", "PLAN", "NAMESPACE", "ADDRESS"], &rows)
        }
    }
}

/// The tenant that an id, a namespace or a host names.
async fn one(app: &App, text: &str) -> Result<TenantView, Failure> {
    let mut found = search_tenants(app, text).await.map_err(fault)?;
    match (found.pop(), found.is_empty()) {
        (Some(tenant), true) => Ok(tenant),
        (Some(_), false) => Err(Failure::new(
            FailureKind::Usage,
            format!("{text} names more than one tenant; give an id (ten_…): `tenantry tenant list --search {text}`"),
        )),
        (None, _) => Err(Failure::new(
            FailureKind::NotFound,
            format!("no tenant has the id, namespace or host {text}; `tenantry tenant list` shows all"),
        )),
    }
}

/// Says what was queued; with `--wait`, how it ended.
async fn started(
    app: &App,
    tenant: TenantId,
    operation: OperationId,
    wait: bool,
    output: Output,
) -> Result<(), Failure> {
    if wait {
        wait::until_ended(app, operation, output).await?;
        return show::run(app, tenant, false, output).await;
    }
    match output {
        Output::Json => print_json(&json!({"tenant": tenant, "operation": operation})),
        Output::Text => print_line(&format!(
            "queued {operation}; `tenantry tenant show {tenant}` tells how it goes"
        )),
    }
}

/// Says what becomes of a removal; with `--wait`, how it ended. While the tenant is being made, the removal follows that.
async fn removed(app: &App, tenant: TenantId, removal: Started, wait: bool, output: Output) -> Result<(), Failure> {
    let first = match removal {
        Started::Queued(operation) | Started::AlreadyRunning(operation) => {
            return started(app, tenant, operation, wait, output).await;
        }
        Started::Follows(first) => first,
    };
    let follows = format!("the removal follows {first}, which has not ended");
    if wait {
        if output == Output::Text {
            print_line(&follows)?;
        }
        let operation = wait::until_removal_is_queued(app, tenant).await?;
        return started(app, tenant, operation, wait, output).await;
    }
    match output {
        Output::Json => print_json(&json!({"tenant": tenant, "follows": first})),
        Output::Text => print_line(&format!("{follows}; `tenantry tenant show {tenant}` tells how it goes")),
    }
}

fn fault(error: Fault) -> Failure {
    Failure::new(FailureKind::Unavailable, error)
}

fn refused(error: StartError) -> Failure {
    let kind = match &error {
        StartError::TenantUnknown | StartError::OperationUnknown | StartError::PlanUnknown => FailureKind::NotFound,
        StartError::Fault(_) => FailureKind::Unavailable,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, error)
}
