//! Where a person is signed in.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::accounts::{self, Slice, UserSessionSummary};
use tenantry_domain::ids::{SessionId, UserId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caretaker;
use crate::{AppState, ClientAddress, Operator, Paging, PathId, Problem, page_of, problem::kinds};

/// What holds a session.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorUserSessionKind {
    /// A browser.
    Browser,
    /// A program.
    Token,
    /// An operator who looks through the person's eyes.
    Support,
}

/// A session of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorUserSession {
    /// The session.
    #[schema(example = "ses_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// What holds it.
    pub kind: OperatorUserSessionKind,
    /// What the browser or program says it is.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]
    pub device: String,
    /// Where it signed in from.
    #[schema(required, example = "203.0.113.7")]
    pub address: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// The operator who looks through it.
    #[schema(required, example = "support@example.org")]
    pub operator_email: Option<String>,
}

impl From<UserSessionSummary> for OperatorUserSession {
    fn from(row: UserSessionSummary) -> Self {
        let kind = match (&row.operator_email, row.kind.as_str()) {
            (Some(_), _) => OperatorUserSessionKind::Support,
            (None, "token") => OperatorUserSessionKind::Token,
            (None, _) => OperatorUserSessionKind::Browser,
        };
        Self {
            id: SessionId::from_uuid(row.id).to_string(),
            kind,
            device: row.device,
            address: row.address,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            operator_email: row.operator_email,
        }
    }
}

page_of!(
    OperatorUserSessionPage,
    OperatorUserSession,
    "One page of a person's sessions, newest first."
);

/// Lists the sessions of a person that have not ended, newest first.
#[utoipa::path(
    get, path = "/users/{user}/sessions", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters),
    responses((status = 200, description = "One page", body = OperatorUserSessionPage))
)]
pub(super) async fn operator_list_user_sessions(
    State(state): State<AppState>,
    operator: Operator,
    address: ClientAddress,
    PathId(user): PathId<UserId>,
    paging: Paging,
) -> Result<Json<OperatorUserSessionPage>, Problem> {
    let list = format!("operator sessions of {user}");
    let slice = Slice {
        after: paging.after::<(DateTime<Utc>, Uuid)>(&state, &list)?,
        limit: paging.fetch(),
    };
    let rows = accounts::list_user_sessions(&state.app, user, slice, caretaker(&operator, address))
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.created_at, row.id));
    let items = rows.into_iter().map(OperatorUserSession::from).collect();
    Ok(Json(OperatorUserSessionPage { items, next_cursor }))
}
