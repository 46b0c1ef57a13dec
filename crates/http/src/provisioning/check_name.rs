//! Whether a name for a tenant can be had.

use std::{convert::Infallible, str::FromStr};

use axum::{Json, extract::State};
use serde::Serialize;
use tenantry_app::provisioning;
use utoipa::ToSchema;

use crate::{AppState, Authorized, PathId, PathParameter, Problem, authorization::permission::TenantsRead};

/// The name that somebody considers, as typed.
#[derive(Debug, Clone)]
pub struct ConsideredName(String);

impl FromStr for ConsideredName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl PathParameter for ConsideredName {
    const NAME: &'static str = "name";
}

/// What there is to say about a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantName {
    /// The name, as it would be used.
    #[schema(example = "museum-of-examples")]
    pub name: String,
    /// Whether it can be had now.
    pub available: bool,
    /// Why not, for programs: `name_taken`, `name_reserved`, `name_invalid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// One that can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The host that the name stands for.
    #[schema(example = "museum-of-examples.tenants.example.net")]
    pub host: String,
}

/// Says whether a name can be had, and if not, one that can.
#[utoipa::path(
    get, path = "/organizations/{organization}/tenant-names/{name}", tag = "tenants", security(("session" = [])),
    responses((status = 200, description = "What there is to say about the name", body = TenantName))
)]
pub(super) async fn check_tenant_name(
    State(state): State<AppState>,
    caller: Authorized<TenantsRead>,
    PathId(name): PathId<ConsideredName>,
) -> Result<Json<TenantName>, Problem> {
    let answer = provisioning::check_name(&state.app, &name.0, &caller.membership.name).await?;
    Ok(Json(TenantName {
        name: answer.name,
        available: answer.available,
        reason: answer.reason.map(str::to_owned),
        detail: answer.detail,
        suggestion: answer.suggestion,
        host: answer.host,
    }))
}
