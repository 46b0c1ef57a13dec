//! All operators.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, OperatorAccount};
use tenantry_domain::ids::OperatorId;
use utoipa::ToSchema;

use crate::{AppState, Operator, Paging, Problem, authorization::Admin, page_of};

const LIST: &str = "operators";

/// What an operator may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Looks.
    Viewer,
    /// Looks, retries and replays, and looks after people.
    Support,
    /// Everything, destructive acts and operators included.
    Admin,
}

impl From<OperatorRole> for tenantry_domain::accounts::OperatorRole {
    fn from(role: OperatorRole) -> Self {
        match role {
            OperatorRole::Viewer => Self::Viewer,
            OperatorRole::Support => Self::Support,
            OperatorRole::Admin => Self::Admin,
        }
    }
}

/// An operator, as operators see each other.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorAccount)]
pub struct OperatorAccountView {
    /// The operator.
    #[schema(example = "opr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Their address.
    #[schema(example = "support@example.org")]
    pub email: String,
    /// `viewer`, `support` or `admin`; each may do what those before it may.
    #[schema(example = "support")]
    pub role: String,
    /// Whether their second factor is set up; without one they get no further than setting it up.
    pub second_factor: bool,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// When they were last seen; null when they have not been for weeks.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when they may not sign in; null while they may.
    #[schema(required)]
    pub disabled_at: Option<DateTime<Utc>>,
}

impl From<OperatorAccount> for OperatorAccountView {
    fn from(row: OperatorAccount) -> Self {
        Self {
            id: OperatorId::from_uuid(row.id).to_string(),
            email: row.email_normalized,
            role: row.role,
            second_factor: row.second_factor,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            disabled_at: row.disabled_at,
        }
    }
}

page_of!(
    OperatorAccountPage,
    OperatorAccountView,
    "One page of operators, by address."
);

/// Lists operators by address, disabled ones too.
#[utoipa::path(
    get, path = "/operators", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = OperatorAccountPage))
)]
pub(super) async fn operator_list_operators(
    State(state): State<AppState>,
    _operator: Operator<Admin>,
    paging: Paging,
) -> Result<Json<OperatorAccountPage>, Problem> {
    let after = paging.after::<String>(&state, LIST)?;
    let rows = accounts::list_operators(&state.app, paging.search.as_deref(), after.as_deref(), paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, LIST, rows, |row| row.email_normalized.clone());
    let items = rows.into_iter().map(OperatorAccountView::from).collect();
    Ok(Json(OperatorAccountPage { items, next_cursor }))
}
