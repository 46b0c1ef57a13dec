//! Who is signed in, and what a page needs to know of it.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, header::SET_COOKIE};
use serde::Serialize;
use tenantry_app::{
    accounts::{self, StartedSession, UserSession},
    organizations::{self, Page},
};
use tenantry_domain::accounts::session::PROOF_LASTS;
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
    /// Whether the user has a second factor.
    pub second_factor: bool,
    /// Until when acts that cannot be taken back need no new proof of who it is.
    pub proved_until: DateTime<Utc>,
    /// The organization that soon lets, or already lets, the user in no more without a second factor, which they have not.
    #[schema(required)]
    pub second_factor_required: Option<SecondFactorDemand>,
}

/// An organization that requires a second factor of somebody who has none.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorDemand {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub organization: String,
    /// From when on.
    pub from: DateTime<Utc>,
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
    let demand = if session.second_factor {
        None
    } else {
        organizations::factor_demands(&state.app, session.user)
            .await?
            .into_iter()
            .next()
    };
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
        second_factor: session.second_factor,
        proved_until: session.proved_at + PROOF_LASTS,
        second_factor_required: demand.map(|demand| SecondFactorDemand {
            organization: demand.organization.to_string(),
            from: demand.from,
        }),
    })
}

/// The view of a session that begins.
pub(super) async fn of_started(state: &AppState, started: &StartedSession) -> Result<SessionView, Problem> {
    view(state, &started.session, csrf::token(&started.secret)).await
}

/// The cookies of a session that begins.
pub(super) fn cookies(state: &AppState, started: &StartedSession) -> AppendHeaders<[(HeaderName, HeaderValue); 2]> {
    let now = state.app.clock.now();
    let session = SessionCookie::User.set(&started.secret, started.cookie_expires_at, now);
    let device = SessionCookie::Device.set(&started.device_secret, started.device_expires_at, now);
    AppendHeaders([(SET_COOKIE, session), (SET_COOKIE, device)])
}

/// Answers what began a session: the view, and the cookies.
pub(super) async fn begin(state: &AppState, started: &StartedSession) -> Result<Response, Problem> {
    let view = of_started(state, started).await?;
    Ok((cookies(state, started), Json(view)).into_response())
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
