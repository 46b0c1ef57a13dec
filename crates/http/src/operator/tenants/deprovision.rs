//! An operator has a tenant removed.

use axum::{extract::State, response::Response};
use garde::Validate;
use serde::Deserialize;
use tenantry_app::provisioning;
use tenantry_domain::ids::TenantId;
use utoipa::ToSchema;

use super::accepted;
use crate::{
    AppState, Operator, PathId, Problem, TraceContext, ValidJson, authorization::Admin, provisioning::views::Operation,
};

/// A removal, confirmed.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeprovisionTenantRequest {
    /// The tenant's name, repeated: what is removed does not come back.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(example = "museum-of-examples")]
    pub confirm: String,
}

/// Removes a tenant in any state.
#[utoipa::path(
    post, path = "/tenants/{tenant}/deprovision", tag = "operator", security(("operator" = [])),
    request_body = DeprovisionTenantRequest,
    responses(
        (status = 202, description = "The operation; `Location` is where it is followed", body = Operation),
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
    let operation = provisioning::remove(
        &state.app,
        tenant,
        &request.confirm,
        &operator.actor(),
        Some(&trace.traceparent()),
    )
    .await?;
    accepted(&state, operation).await
}
