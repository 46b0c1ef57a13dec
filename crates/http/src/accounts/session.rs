//! Who is signed in, and what a page needs to know of it.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::header::SET_COOKIE;
use serde::Serialize;
use tenantry_app::{
    accounts::{self, StartedSession, UserSession},
    organizations::{self, Page},
};
use utoipa::ToSchema;

use super::me::avatar_url;
use crate::{AppState, Problem, SignedIn, cookie::SessionCookie, csrf, organizations::OrganizationMembership};

/// Organizations that a session names; whoever has more finds them in the list of organizations.
const NAMED_ORGANIZATIONS: i64 = 100;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// The user.
    #[schema(example = "usr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The language they read: a tag of BCP 47.
    pub locale: String,
    /// Where their day begins: a name of the IANA time zone database.
    pub time_zone: String,
    /// Where their picture is, if they have one.
    pub avatar_url: Option<String>,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Who is signed in.
    pub user: UserView,
    /// To be sent as `X-CSRF-Token` with every call that changes something.
    pub csrf_token: String,
    /// The first hundred of their organizations, by name.
    pub organizations: Vec<OrganizationMembership>,
    /// When the session ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// Who really looks, when it is not the user: nothing can be changed then.
    #[schema(required)]
    pub impersonation: Option<ImpersonationView>,
}

/// An operator who looks through a customer's eyes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Impersonation)]
pub struct ImpersonationView {
    /// The operator.
    #[schema(example = "support@example.org")]
    pub operator_email: String,
    /// Why, in the operator's words.
    #[schema(example = "Ticket 4711: the invoice of May is missing")]
    pub reason: String,
    /// When the look ends, however much it is used.
    pub expires_at: DateTime<Utc>,
}

async fn view(state: &AppState, session: &UserSession, csrf_token: String) -> Result<SessionView, Problem> {
    let first = Page {
        after: None,
        search: None,
        limit: NAMED_ORGANIZATIONS,
    };
    let profile = accounts::get_profile(&state.app, session).await?;
    let memberships = organizations::list(&state.app, session.user, first).await?;
    Ok(SessionView {
        user: UserView {
            id: session.user.to_string(),
            email: session.email.clone(),
            name: session.name.clone(),
            locale: profile.locale,
            time_zone: profile.time_zone,
            avatar_url: profile.avatar.as_deref().map(avatar_url),
        },
        csrf_token,
        organizations: memberships.iter().map(OrganizationMembership::from).collect(),
        expires_at: session.expires_at,
        impersonation: session.impersonation.as_ref().map(|impersonation| ImpersonationView {
            operator_email: impersonation.operator_email.clone(),
            reason: impersonation.reason.clone(),
            expires_at: session.expires_at,
        }),
    })
}

/// Answers a sign-in: the view, and the cookie.
pub(super) async fn begin(state: &AppState, started: &StartedSession) -> Result<Response, Problem> {
    let view = view(state, &started.session, csrf::token(&started.secret)).await?;
    let cookie = SessionCookie::User.set(&started.secret, started.cookie_expires_at, state.app.clock.now());
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(view)).into_response())
}

/// The present session.
#[utoipa::path(
    get, path = "/session", tag = "accounts", security(("session" = [])),
    responses((status = 200, description = "The session", body = SessionView))
)]
pub(super) async fn get_session(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<SessionView>, Problem> {
    Ok(Json(view(&state, &signed_in.session, signed_in.csrf_token()).await?))
}
