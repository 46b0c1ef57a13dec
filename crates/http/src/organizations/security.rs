//! `/organizations/{organization}/security`: what an organization asks of its members' accounts.

use axum::{Json, extract::State};
use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use tenantry_app::organizations::{self, Security, SecurityError};
use utoipa::ToSchema;

use super::problems;
use crate::{
    AppState, Authorized, Problem, ValidJson, accounts::visitor::AtTheDoor,
    authorization::permission::OrganizationManage,
};

/// What an organization asks of its members' accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationSecurity {
    /// Whether members need a second factor.
    pub second_factor_required: bool,
    /// From when on nobody is let in without one.
    #[schema(required)]
    pub from: Option<DateTime<Utc>>,
}

impl From<Security> for OrganizationSecurity {
    fn from(security: Security) -> Self {
        Self {
            second_factor_required: security.second_factor_required_from.is_some(),
            from: security.second_factor_required_from,
        }
    }
}

/// What an organization is to ask of its members' accounts.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSecurityRequest {
    /// Whether members need a second factor.
    #[garde(skip)]
    pub second_factor_required: bool,
    /// Days that members have to set one up.
    #[garde(range(max = 90))]
    #[schema(maximum = 90, example = 14)]
    pub grace_days: u32,
}

/// What the organization asks of its members' accounts.
#[utoipa::path(
    get, path = "/organizations/{organization}/security", tag = "organizations", security(("session" = [])),
    responses((status = 200, description = "What it asks", body = OrganizationSecurity))
)]
pub(super) async fn get_organization_security(
    State(state): State<AppState>,
    caller: Authorized<OrganizationManage>,
) -> Result<Json<OrganizationSecurity>, Problem> {
    let security = organizations::security(&state.app, caller.organization()).await?;
    Ok(Json(security.into()))
}

/// Changes what the organization asks of its members' accounts. The days of grace begin now.
#[utoipa::path(
    put, path = "/organizations/{organization}/security", tag = "organizations", security(("session" = [])),
    request_body = OrganizationSecurityRequest,
    responses(
        (status = 200, description = "What it asks now", body = OrganizationSecurity),
        (status = 403, description = "`step_up_required`, `permission_missing`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`own_second_factor_missing`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_organization_security(
    State(state): State<AppState>,
    caller: Authorized<OrganizationManage>,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<OrganizationSecurityRequest>,
) -> Result<Json<OrganizationSecurity>, Problem> {
    let grace = request
        .second_factor_required
        .then(|| TimeDelta::days(request.grace_days.into()));
    let organization = caller.organization();
    let session = &caller.signed_in.session;
    let security = organizations::set_security(&state.app, organization, session, grace, &visitor)
        .await
        .map_err(|error| match error {
            SecurityError::StepUp(required) => required.into(),
            SecurityError::OwnFactorMissing => Problem::of(problems::OWN_SECOND_FACTOR_MISSING),
            SecurityError::Fault(fault) => fault.into(),
        })?;
    Ok(Json(security.into()))
}
