//! An operator has a tenant removed.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::{StatusCode, header::LOCATION};
use serde::{Deserialize, Serialize};
use tenantry_app::provisioning::{self, Started};
use tenantry_domain::ids::TenantId;
use utoipa::ToSchema;

use crate::{AppState, Operator, PathId, Problem, TraceContext, ValidJson, authorization::Admin};

/// A removal, confirmed.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeprovisionTenantRequest {
    /// The tenant's name, repeated: what is removed does not come back.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(example = "museum-of-examples")]
    pub confirm: String,
}

/// A removal that will happen.
#[derive(Debug, Serialize, ToSchema)]
pub struct TenantRemoval {
    /// Which tenant goes.
    pub tenant_id: String,
    /// The operation that removes it, when it is queued already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "op_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub operation_id: Option<String>,
    /// What is at work on the tenant until then: the removal is queued when it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "op_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub follows_operation_id: Option<String>,
}

/// Removes a tenant in any state.
#[utoipa::path(
    post, path = "/tenants/{tenant}/deprovision", tag = "operator", security(("operator" = [])),
    request_body = DeprovisionTenantRequest,
    responses(
        (status = 202, description = "It will be removed; `Location` is where that is followed", body = TenantRemoval),
        (status = 409, description = "`tenant_state`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_deprovision_tenant(
    State(state): State<AppState>,
    operator: Operator<Admin>,
    trace: TraceContext,
    PathId(tenant): PathId<TenantId>,
    ValidJson(request): ValidJson<DeprovisionTenantRequest>,
) -> Result<Response, Problem> {
    let started = provisioning::remove(
        &state.app,
        tenant,
        &request.confirm,
        &operator.actor(),
        Some(&trace.traceparent()),
    )
    .await?;
    let (operation_id, follows_operation_id, location) = match started {
        Started::Queued(id) | Started::AlreadyRunning(id) => {
            (Some(id.to_string()), None, format!("/api/v1/operator/operations/{id}"))
        }
        Started::Follows(id) => (None, Some(id.to_string()), format!("/api/v1/operator/tenants/{tenant}")),
    };
    let removal = TenantRemoval {
        tenant_id: tenant.to_string(),
        operation_id,
        follows_operation_id,
    };
    Ok((
        StatusCode::ACCEPTED,
        AppendHeaders([(LOCATION, location)]),
        Json(removal),
    )
        .into_response())
}
