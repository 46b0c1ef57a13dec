//! Somebody calls an attempt to buy off.

use axum::{Json, extract::State};
use tenantry_app::billing::checkout;
use tenantry_domain::ids::CheckoutId;

use super::views::Checkout;
use crate::{AppState, Authorized, PathId, Problem, TraceContext, authorization::permission::BillingManage};

/// Closes the payment page and gives the name back. A checkout that has ended stays as it is.
#[utoipa::path(
    post, path = "/organizations/{organization}/checkouts/{checkout}/cancel", tag = "billing", security(("session" = [])),
    responses(
        (status = 200, description = "The checkout", body = Checkout),
        (status = 503, description = "`payment_provider_unavailable`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel_checkout(
    State(state): State<AppState>,
    caller: Authorized<BillingManage>,
    trace: TraceContext,
    PathId(id): PathId<CheckoutId>,
) -> Result<Json<Checkout>, Problem> {
    let (organization, actor, trace) = (caller.organization(), caller.actor(), trace.traceparent());
    let view = checkout::cancel::cancel(&state.app, organization, id, &actor, Some(&trace)).await?;
    Ok(Json(view.into()))
}
