//! The fleet in numbers.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use tenantry_app::{billing::sales, provisioning};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{AppState, Operator, Problem};

/// How many of what.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetOverview {
    /// Tenants by state; every state is there.
    pub tenants_by_state: BTreeMap<String, i64>,
    /// Operations that wait for a person.
    pub operations_stuck: i64,
    /// Operations that gave up.
    pub operations_failed: i64,
    /// Events of the payment provider that are not settled.
    pub inbox_pending: i64,
    /// Events that could not be applied.
    pub inbox_failed: i64,
    /// Payments that bought nothing and are to go back.
    pub refunds_needed: i64,
    /// Customers.
    pub organizations: i64,
    /// Namespaces on the cluster that carry this installation's label and belong to no tenant it has ever known, as the
    /// latest comparison found them. They are left alone: a ledger that was restored from an older copy does not know its
    /// youngest tenants.
    pub unknown_namespaces: Vec<String>,
}

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(operator_overview))
}

/// The fleet in numbers.
#[utoipa::path(
    get, path = "/overview", tag = "operator", security(("operator" = [])),
    responses((status = 200, description = "The figures", body = FleetOverview))
)]
async fn operator_overview(State(state): State<AppState>, _operator: Operator) -> Result<Json<FleetOverview>, Problem> {
    let counted = provisioning::overview(&state.app).await?;
    Ok(Json(FleetOverview {
        tenants_by_state: counted
            .tenants_by_state
            .into_iter()
            .map(|(state, count)| (state.as_str().to_owned(), count))
            .collect(),
        operations_stuck: counted.operations_stuck,
        operations_failed: counted.operations_failed,
        inbox_pending: counted.inbox_pending,
        inbox_failed: counted.inbox_failed,
        refunds_needed: sales::count_refunds(&state.app).await?,
        organizations: counted.organizations,
        unknown_namespaces: counted.unknown_namespaces,
    }))
}
