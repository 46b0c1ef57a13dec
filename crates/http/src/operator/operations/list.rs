//! All operations.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_app::provisioning::{self, Reader};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    AppState, Operator, Paging, Problem, ValidQuery, page_of,
    provisioning::views::{OperationState, OperationSummary},
};

/// An operation in the operator's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorOperationSummary {
    /// What its tenant's owner sees, with errors in the words of other programs.
    #[serde(flatten)]
    pub summary: OperationSummary,
    /// On which tenant.
    pub tenant_id: String,
}

page_of!(
    OperationPage,
    OperatorOperationSummary,
    "One page of operations, newest first."
);

/// Which operations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OperationParameters {
    /// Only those in this state.
    state: Option<OperationState>,
}

/// Lists all operations, newest first.
#[utoipa::path(
    get, path = "/operations", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters, OperationParameters),
    responses((status = 200, description = "One page", body = OperationPage))
)]
pub(super) async fn operator_list_operations(
    State(state): State<AppState>,
    _operator: Operator,
    paging: Paging,
    ValidQuery(parameters): ValidQuery<OperationParameters>,
) -> Result<Json<OperationPage>, Problem> {
    let wanted = parameters
        .state
        .map(|state| provisioning::OperationState::from(state).as_str());
    let list = format!("operator operations in {wanted:?}");
    let after = paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?;
    let rows = provisioning::list_operations(&state.app, wanted, after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.created_at, row.id.uuid()));
    let items = rows
        .into_iter()
        .map(|row| OperatorOperationSummary {
            tenant_id: row.tenant.to_string(),
            summary: OperationSummary::new(row, Reader::Operator),
        })
        .collect();
    Ok(Json(OperationPage { items, next_cursor }))
}
