//! A user makes an organization and owns it.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::{StatusCode, header::LOCATION};
use serde::Deserialize;
use tenantry_app::organizations::{self, CreateError};
use tenantry_domain::{display_name::DisplayName, ids::OrganizationId};
use utoipa::ToSchema;

use super::{get::OrganizationView, problems};
use crate::{
    AppState, ClientAddress, Problem, SignedIn, ValidJson,
    body::rules,
    idempotency::NewId,
    problem::kinds,
    rate_limit::{self, RateLimit},
};

/// A new organization.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganizationRequest {
    /// Its name; its slug is made from it.
    #[garde(custom(rules::display_name))]
    #[schema(min_length = 1, max_length = 200, example = "Museum of Examples")]
    pub name: String,
}

/// Makes an organization that the caller owns.
///
/// Somebody may make twenty at once, and one more every ten minutes.
#[utoipa::path(
    post, path = "/organizations", tag = "organizations", security(("session" = [])),
    request_body = CreateOrganizationRequest,
    responses(
        (status = 201, description = "Made; `Location` names it", body = OrganizationView),
        (status = 409, description = "`too_many_organizations`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_organization(
    State(state): State<AppState>,
    signed_in: SignedIn,
    NewId(id): NewId,
    ClientAddress(address): ClientAddress,
    ValidJson(request): ValidJson<CreateOrganizationRequest>,
) -> Result<Response, Problem> {
    let name =
        DisplayName::parse(&request.name).map_err(|error| Problem::field("/name", error.code(), error.to_string()))?;
    let created = organizations::create(
        &state.app,
        OrganizationId::from_uuid(id),
        signed_in.session.user,
        &name,
        address,
    )
    .await;
    let (membership, left) = created.map_err(|error| match error {
        CreateError::TooMany => Problem::of(problems::TOO_MANY_ORGANIZATIONS),
        CreateError::TooManyRequests(allowance) => rate_limit::used_up(allowance),
        CreateError::NoSuchUser => Problem::of(kinds::UNAUTHENTICATED),
        CreateError::Fault(fault) => fault.into(),
    })?;
    let location = format!("/api/v1/organizations/{}", membership.organization);
    let view = OrganizationView::new(&membership, Vec::new());
    Ok((
        StatusCode::CREATED,
        left.map(RateLimit),
        AppendHeaders([(LOCATION, location)]),
        Json(view),
    )
        .into_response())
}
