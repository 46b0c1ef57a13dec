//! An operator has a tenant made without a payment.

use axum::{extract::State, response::Response};
use garde::Validate;
use serde::Deserialize;
use tenantry_app::{
    organizations,
    provisioning::{self, ProvisionRequest},
};
use tenantry_domain::ids::TenantId;
use utoipa::ToSchema;

use super::accepted;
use crate::{
    AppState, Operator, Problem, TraceContext, ValidJson, authorization::Admin, idempotency::NewId,
    provisioning::views::Operation,
};

/// A tenant to be made.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionTenantRequest {
    /// For whom: an id or slug.
    #[garde(length(max = 100))]
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub organization: String,
    /// Key of the product.
    #[garde(length(chars, min = 1, max = 40))]
    #[schema(example = "collection")]
    pub product: String,
    /// Key of the plan.
    #[garde(length(chars, min = 1, max = 40))]
    #[schema(example = "starter")]
    pub plan: String,
    /// Label of its host.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(example = "museum-of-examples")]
    pub name: String,
}

/// Makes a tenant without a payment.
#[utoipa::path(
    post, path = "/tenants", tag = "operator", security(("operator" = [])), request_body = ProvisionTenantRequest,
    responses(
        (status = 202, description = "The operation; `Location` is where it is followed", body = Operation),
        (status = 409, description = "`name_taken`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_provision_tenant(
    State(state): State<AppState>,
    operator: Operator<Admin>,
    NewId(id): NewId,
    trace: TraceContext,
    ValidJson(request): ValidJson<ProvisionTenantRequest>,
) -> Result<Response, Problem> {
    let unknown = || {
        Problem::field(
            "/organization",
            "organization_unknown",
            "There is no such organization.",
        )
    };
    let organization = organizations::find_for_operator(&state.app, &request.organization)
        .await?
        .ok_or_else(unknown)?;
    if provisioning::organization_names(&state.app, &[organization])
        .await?
        .is_empty()
    {
        return Err(unknown());
    }
    let wanted = ProvisionRequest {
        id: TenantId::from_uuid(id),
        organization,
        product: &request.product,
        plan: &request.plan,
        name: &request.name,
    };
    let traceparent = trace.traceparent();
    let (_, operation) =
        provisioning::provision_for_operator(&state.app, &wanted, &operator.actor(), Some(&traceparent)).await?;
    accepted(&state, operation).await
}
