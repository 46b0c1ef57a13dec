//! Somebody buys.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::{StatusCode, header::LOCATION};
use serde::Deserialize;
use tenantry_app::billing::checkout::{self, begin::BeginCheckout};
use tenantry_domain::ids::CheckoutId;
use utoipa::ToSchema;

use super::views::Checkout;
use crate::{
    AppState, Authorized, Problem, TraceContext, ValidJson,
    authorization::permission::{BillingManage, TenantsCreate},
    idempotency::NewId,
};

/// What is to be bought.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginCheckoutRequest {
    /// The lookup key of a price.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "collection_starter_month_eur")]
    pub price: String,
    /// What the new tenant is to be called: a label of its host.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "museum-of-examples")]
    pub tenant_name: String,
}

/// Reserves the name and opens a payment page. An earlier attempt at the same purchase is closed.
#[utoipa::path(
    post, path = "/organizations/{organization}/checkouts", tag = "billing", security(("session" = [])),
    request_body = BeginCheckoutRequest,
    responses(
        (status = 201, description = "The page is at `url`; `Location` names the checkout", body = Checkout),
        (status = 409, description = "`name_taken`, `already_bought`, `checkout_superseded`, `too_many_open_checkouts` or `price_not_ready`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`payment_provider_unavailable`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn begin_checkout(
    State(state): State<AppState>,
    caller: Authorized<(BillingManage, TenantsCreate)>,
    NewId(id): NewId,
    trace: TraceContext,
    ValidJson(request): ValidJson<BeginCheckoutRequest>,
) -> Result<Response, Problem> {
    let wish = BeginCheckout {
        id: CheckoutId::from_uuid(id),
        organization: caller.organization(),
        slug: &caller.membership.slug,
        user: Some(caller.user()),
        price: &request.price,
        tenant_name: &request.tenant_name,
        trace: Some(&trace.traceparent()),
    };
    let begun = checkout::begin::begin(&state.app, &wish).await?;
    let view = checkout::get(&state.app, caller.organization(), begun).await?;
    let location = format!("/api/v1/organizations/{}/checkouts/{begun}", caller.organization());
    Ok((
        StatusCode::CREATED,
        AppendHeaders([(LOCATION, location)]),
        Json(Checkout::from(view)),
    )
        .into_response())
}
