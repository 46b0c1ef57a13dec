//! An operator looks through a customer's eyes.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use garde::Validate;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};
use tenantry_app::accounts;
use tenantry_domain::{accounts::impersonation::Reason, ids::UserId};
use utoipa::ToSchema;

use crate::{
    AppState, Operator, PathId, Problem, ValidJson, accounts::visitor::AtTheDoor, authorization::Support, body::rules,
    cookie::SessionCookie, problem::kinds,
};

/// Why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewAsRequest {
    /// Stands in the customer's own log.
    #[garde(custom(rules::impersonation_reason))]
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "Ticket 4711: the invoice of May is missing"
    )]
    pub reason: String,
}

/// Where the look begins.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewAs {
    /// The customer's first page; the cookie that came with this answer opens it.
    #[schema(example = "https://tenantry.example.org/")]
    pub url: String,
    /// When the look ends, however much it is used.
    pub expires_at: DateTime<Utc>,
}

/// Begins a look through a customer's eyes: for 30 minutes, reading only.
///
/// The answer sets the customer's cookie beside the operator's own. Calls that would change something answer 403
/// `impersonation_read_only`; signing out ends the look. It stands in the log of the customer and of each of their
/// organizations.
#[utoipa::path(
    post, path = "/users/{user}/view-as", tag = "operator", security(("operator" = [])), request_body = ViewAsRequest,
    responses((status = 200, description = "The look has begun; the customer's cookie is set", body = ViewAs))
)]
pub(super) async fn operator_view_as(
    State(state): State<AppState>,
    operator: Operator<Support>,
    AtTheDoor(visitor): AtTheDoor,
    PathId(user): PathId<UserId>,
    ValidJson(request): ValidJson<ViewAsRequest>,
) -> Result<Response, Problem> {
    let reason =
        Reason::parse(&request.reason).map_err(|error| Problem::field("/reason", error.code(), error.to_string()))?;
    let started = accounts::view_as(&state.app, operator.session.operator, user, &reason, &visitor)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let cookie = SessionCookie::User.set(&started.secret, started.expires_at, state.app.clock.now());
    let view = ViewAs {
        url: state.app.settings.link("/"),
        expires_at: started.expires_at,
    };
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(view)).into_response())
}
