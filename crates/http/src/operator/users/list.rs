//! All people.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::accounts::{self, Slice, UserSummary};
use tenantry_domain::ids::UserId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caretaker;
use crate::{AppState, ClientAddress, Operator, Paging, Problem, page_of};

const LIST: &str = "operator users";

/// A person in the operator's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorUserSummary {
    /// The user.
    #[schema(example = "usr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Their address.
    #[schema(example = "ada@example.org")]
    pub email: String,
    /// Their name.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// When their account became live.
    pub created_at: DateTime<Utc>,
    /// When they were last seen; null when they have not been for weeks.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Whether signing in takes a second factor.
    pub second_factor: bool,
    /// Organizations that they belong to.
    pub organizations: i64,
}

impl From<UserSummary> for OperatorUserSummary {
    fn from(row: UserSummary) -> Self {
        Self {
            id: UserId::from_uuid(row.id).to_string(),
            email: row.email_normalized,
            name: row.name,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            second_factor: row.second_factor,
            organizations: row.organizations,
        }
    }
}

page_of!(
    OperatorUserPage,
    OperatorUserSummary,
    "One page of people, newest first."
);

/// Lists people, newest first.
///
/// `search` finds an id, or whoever has for each word a name or address with a word that begins so: `ada love`,
/// `example.org`.
#[utoipa::path(
    get, path = "/users", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = OperatorUserPage))
)]
pub(super) async fn operator_list_users(
    State(state): State<AppState>,
    operator: Operator,
    address: ClientAddress,
    paging: Paging,
) -> Result<Json<OperatorUserPage>, Problem> {
    let slice = Slice {
        after: paging.after::<(DateTime<Utc>, Uuid)>(&state, LIST)?,
        limit: paging.fetch(),
    };
    let by = caretaker(&operator, address);
    let rows = accounts::list_users(&state.app, paging.search.as_deref(), slice, by).await?;
    let (rows, next_cursor) = paging.finish(&state, LIST, rows, |row| (row.created_at, row.id));
    let items = rows.into_iter().map(OperatorUserSummary::from).collect();
    Ok(Json(OperatorUserPage { items, next_cursor }))
}
