//! One's sessions.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::accounts::{self, SessionSummary};
use tenantry_domain::ids::SessionId;
use utoipa::ToSchema;

use crate::{
    AppState, Problem, SignedIn, page_of,
    pagination::{PageParameters, Paging},
};

const LIST: &str = "sessions";

/// A browser or a program that is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSession)]
pub struct UserSessionView {
    /// The session.
    #[schema(example = "ses_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// `browser`, `token` for a program, or `support` for an operator who looks through your eyes.
    #[schema(example = "browser")]
    pub kind: String,
    /// What it says of itself; empty for an operator's.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    pub device: String,
    /// The network address that it signed in from, where it is known; null for an operator's.
    #[schema(required, example = "203.0.113.7")]
    pub address: Option<String>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl UserSessionView {
    fn new(session: SessionSummary, present: SessionId) -> Self {
        Self {
            current: session.id == present,
            id: session.id.to_string(),
            kind: session.kind,
            device: session.device,
            address: session.address,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}

page_of!(UserSessionPage, UserSessionView, "A page of sessions.");

/// The caller's sessions that have not ended, newest first.
#[utoipa::path(
    get, path = "/me/sessions", tag = "accounts", security(("session" = [])), params(PageParameters),
    responses((status = 200, description = "A page of them", body = UserSessionPage))
)]
pub(in crate::accounts) async fn list_sessions(
    State(state): State<AppState>,
    signed_in: SignedIn,
    paging: Paging,
) -> Result<Json<UserSessionPage>, Problem> {
    let after: Option<SessionId> = paging.after(&state, LIST)?;
    let rows = accounts::list_sessions(&state.app, &signed_in.session, after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, LIST, rows, |last| last.id);
    let present = signed_in.session.id;
    let items = rows
        .into_iter()
        .map(|session| UserSessionView::new(session, present))
        .collect();
    Ok(Json(UserSessionPage { items, next_cursor }))
}
